// What an application in strict TypeScript writes around an inbox: it has to compile as it stands, and to run.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import * as z from 'zod/mini'
import { DataTypes, Model, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import { migrate, ResilientSequelize } from 'resilient-sequelize'
import {
  createInbox,
  defineHandler,
  defineSource,
  defineSources,
  describeSources,
  inboxCounters,
  later,
  migrations,
  type DescribedSource,
  type InboxOptions,
  type SourceDefinition,
  type Sources,
  type WebhookHandler,
  type Work,
} from 'webhook-inbox'

const url = process.env['DATABASE_URL'] ?? ''
const sequelize = new ResilientSequelize(url, { logging: false, pool: { max: 2 } })

class Payment extends Model<InferAttributes<Payment>, InferCreationAttributes<Payment>> {
  declare id: CreationOptional<number>
  declare reference: string
  declare userId: CreationOptional<number | null>
}
Payment.init(
  { id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true }, reference: DataTypes.STRING, userId: DataTypes.INTEGER },
  { sequelize, modelName: 'payment' },
)

const schema = z.object({ reference: z.string() })

// Whatever a handler returns is accepted.
const paid = defineHandler({
  type: 'payment.paid',
  schema,
  needsDatabase: true,
  async apply({ data }) {
    return Payment.create({ reference: data.reference })
  },
})
const changed = defineHandler({
  type: 'payment.changed',
  schema,
  needsDatabase: true,
  apply: ({ data: { reference } }) => Payment.update({ reference }, { where: { reference } }),
})
const fetched = defineHandler({
  type: 'payment.seen',
  schema,
  needsDatabase: false,
  apply: (_event, { signal }) => fetch('http://localhost:1', { signal }),
})
const deferred = defineHandler({
  type: 'payment.later',
  schema,
  needsDatabase: true,
  async apply() {
    throw later('closed', { afterMs: 1_000 })
  },
})

/** A helper with the work of a handler. */
async function count({ query, transaction, afterCommit, signal, sequelize: one }: Work): Promise<number> {
  afterCommit(() => undefined)
  assert.equal(signal.aborted, false)
  const [row] = await query<{ n: number }>('SELECT count(*)::int AS n FROM payments')
  assert.equal(await one.models['payment']?.count({ transaction }), row?.n)
  return row?.n ?? 0
}
let counted = -1
const counting = defineHandler({
  type: 'payment.counted',
  schema: z.unknown(),
  needsDatabase: true,
  async apply(_event, work) {
    // @ts-expect-error: an application has its models itself
    void (() => work.models)
    work.logger.info({ counting: true })
    await work.alert({ code: 'counted', severity: 'info', summary: 'Payments were counted.' })
    counted = await count(work)
  },
})
// @ts-expect-error: a handler without the database gets no transaction
defineHandler({ type: 'payment.bare', schema, needsDatabase: false, apply: async (_event, { transaction }) => void transaction })

// A source in a file of its own, with a handler that comes before the common one of its type.
let sold = ''
export const shop = defineSource({
  scheme: 'standard',
  secrets: 'SHOP_SECRET',
  handlers: [
    defineHandler({
      type: 'payment.seen',
      schema,
      needsDatabase: true,
      async apply({ data }, { query }) {
        const [row] = await query<{ text: string }>('SELECT $reference::text AS text', { reference: data.reference })
        sold = row?.text ?? ''
      },
    }),
  ],
})
// @ts-expect-error: this scheme has no place for the type of an event
assert.throws(() => defineSource({ scheme: 'digitalocean', secrets: 'DO_SECRET', eventId: 'body' }), TypeError)

const handlers: readonly WebhookHandler[] = [paid, changed, fetched, deferred, counting]
const secret = Buffer.alloc(32, 7).toString('base64')
const options: InboxOptions = {
  sources: { shop },
  handlers,
  schema: 'inbox',
  environment: { SHOP_SECRET: `whsec_${secret}` },
}
const inbox = createInbox(sequelize, options)

// What an application of functions makes of the same table.
export const sourceTable: Readonly<Record<string, SourceDefinition>> = { shop }
export const sourceSettings = defineSources(sourceTable, handlers)
export const describedSources: ReadonlyMap<string, DescribedSource> = describeSources(sourceTable, handlers)
const sources: Sources | undefined = sourceSettings.parse(options.environment ?? {}).value
assert.deepEqual(sourceSettings.variables, ['SHOP_SECRET'])
assert.equal(sources?.get('shop')?.handlers.get('payment.seen'), shop.handlers?.[0])
assert.equal(describedSources.get('shop')?.handlers.get('payment.paid'), paid)
assert.ok(inboxCounters.some(({ name }) => name === 'events'))
await migrate({ sequelize, migrations, schema: 'inbox' })
await sequelize.sync()

async function send(id: string, type: string): Promise<[status: number, body: string]> {
  const body = JSON.stringify({ type, data: { reference: id } })
  const timestamp = String(Math.floor(Date.now() / 1000))
  const signature = createHmac('sha256', Buffer.from(secret, 'base64')).update(`${id}.${timestamp}.${body}`).digest('base64')
  const signed = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` }
  const answer = await inbox.receive({ source: 'shop', headers: { 'Content-Type': 'application/json', ...signed }, body: Buffer.from(body) })
  return [answer.status, answer.body]
}
assert.deepEqual(await send('a', 'payment.paid'), [200, '{"outcome":"applied"}'])
assert.deepEqual(await send('b', 'payment.changed'), [200, '{"outcome":"applied"}'])
assert.deepEqual(await send('c', 'payment.later'), [202, '{"outcome":"deferred"}'])
assert.deepEqual(await send('d', 'payment.counted'), [200, '{"outcome":"applied"}'])
assert.equal(counted, 1)
assert.deepEqual(await send('e', 'payment.seen'), [200, '{"outcome":"applied"}'])
assert.equal(sold, 'e')

await sequelize.close()
console.log('all held')
