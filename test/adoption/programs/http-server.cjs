/* global process */

// A long-lived server with many connections: each response is a result, or an error with its code.
const { once } = require('node:events')
const express = require('express')
const { DataTypes } = require('sequelize')
const { ResilientSequelize } = require('resilient-sequelize')

const sequelize = new ResilientSequelize(process.env.DATABASE_URL, { logging: false, pool: { max: 25 } })
const Note = sequelize.define('note', { key: DataTypes.STRING, part: DataTypes.INTEGER })

const application = express()
application.post('/transaction/:key', async ({ params: { key } }, response) => {
  await sequelize.transaction(async transaction => {
    await Note.create({ key, part: 1 }, { transaction })
    await Note.create({ key, part: 2 }, { transaction })
  })
  response.json({ key })
})
application.post('/unit/:key', async ({ params: { key } }, response) => {
  await sequelize.execute('note.create', async () => {
    await Note.create({ key, part: 1 })
    await Note.create({ key, part: 2 })
  })
  response.json({ key })
})
application.post('/bulk/:key', async ({ params: { key } }, response) => {
  await Note.bulkCreate([
    { key, part: 1 },
    { key, part: 2 },
  ])
  response.json({ key })
})
application.get('/notes/:key', async ({ params: { key } }, response) => {
  response.json({ parts: (await Note.findAll({ where: { key }, order: ['part'] })).map(({ part }) => part) })
})
// Express takes a function with four parameters for a handler of errors.
// eslint-disable-next-line no-unused-vars
application.use((error, _request, response, _next) => {
  response.status(500).json({ code: error.code, message: String(error.message) })
})

const orders = {
  async begin() {
    await sequelize.sync()
    const server = application.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return server.address().port
  },
  close: () => sequelize.close(),
  closeManager: () => sequelize.connectionManager.close(),
}

process.on('message', async ({ id, name, given }) => {
  try {
    process.send({ id, result: await orders[name](given) })
  } catch (error) {
    process.send({ id, error: `${error?.stack}` })
  }
})
