/* global process */

// A handler in the shape of AWS Lambda's. With `recipe` it follows Sequelize's documentation for Lambda word by word.
const { Sequelize, DataTypes } = require('sequelize')
const { ResilientSequelize } = require('resilient-sequelize')

const follows = process.argv[2] === 'recipe'
const Class = process.argv[3] === 'stock' ? Sequelize : ResilientSequelize
let sequelize = null

async function loadSequelize() {
  const loaded = new Class(process.env.DATABASE_URL, {
    logging: false,
    pool: { max: 2, min: 0, idle: follows ? 0 : 10_000, acquire: 20_000, evict: 30_000 },
  })
  loaded.define('note', { key: DataTypes.STRING })
  await loaded.authenticate()
  return loaded
}

async function work({ key }) {
  const { note: Note } = sequelize.models
  await sequelize.transaction(async transaction => {
    await Note.create({ key }, { transaction })
  })
  return (await Note.findAll({ where: { key } })).length
}

async function handler(event) {
  if (!sequelize) {
    sequelize = await loadSequelize()
  } else if (follows) {
    sequelize.connectionManager.initPools()
    if (Object.prototype.hasOwnProperty.call(sequelize.connectionManager, 'getConnection')) delete sequelize.connectionManager.getConnection
  }
  try {
    return await work(event)
  } finally {
    if (follows) await sequelize.connectionManager.close()
  }
}

const orders = {
  async begin() {
    const first = await loadSequelize()
    await first.sync()
    await first.close()
  },
  call: handler,
}

process.on('message', async ({ id, name, given }) => {
  try {
    process.send({ id, result: await orders[name](given) })
  } catch (error) {
    process.send({ id, error: `${error?.stack}` })
  }
})
