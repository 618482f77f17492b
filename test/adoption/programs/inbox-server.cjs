/* global process, setInterval */

// Somebody's server, with its own instance and its own table. What an inbox adds to it stands between the two marks.
const { once } = require('node:events')
const express = require('express')
const { DataTypes } = require('sequelize')
const { migrate, ResilientSequelize } = require('resilient-sequelize')

const sequelize = new ResilientSequelize(process.env.DATABASE_URL, { logging: false, pool: { max: 5 } })
const Payment = sequelize.define('payment', { reference: DataTypes.STRING })
const application = express()

// begin
const { createInbox, defineHandler, migrations } = require('webhook-inbox')
const z = require('zod/mini')
const book = async ({ data }) => void (await Payment.create({ reference: data.reference }))
const paid = defineHandler({ type: 'payment.paid', needsDatabase: true, schema: z.object({ reference: z.string() }), apply: book })
const sources = { shop: { scheme: 'standard', secrets: 'SHOP_SECRET' } }
const inbox = createInbox(sequelize, { sources, handlers: [paid], schema: 'inbox' })
application.post('/webhooks/:source', express.raw({ type: () => true }), async ({ params: { source }, headers, body }, response) => {
  const answer = await inbox.receive({ source, headers, body })
  response.status(answer.status).set(answer.headers).send(answer.body)
})
// end

const orders = {
  async prepare() {
    await migrate({ sequelize, migrations, schema: 'inbox' })
    await sequelize.sync()
  },
  async begin() {
    setInterval(() => inbox.runDue().catch(() => undefined), 200).unref()
    const server = application.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return server.address().port
  },
  counts: () => inbox.counts(),
}

process.on('message', async ({ id, name, given }) => {
  try {
    process.send({ id, result: (await orders[name](given)) ?? null })
  } catch (error) {
    process.send({ id, error: `${error?.stack}` })
  }
})
