import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { buildBundles } from '../../src/build/pipeline.ts'
import { copyCheckout, type Checkout } from '../support/checkout.ts'
import { createTestDatabase, withDatabase, type TestDatabase } from '../support/database.ts'
import { callWeb, containerOf } from '../support/function-container.ts'
import type { misbehaviours } from '../support/misbehaving-handlers.ts'
import { stopContainers, type Container } from '../support/platform/container.ts'
import { invokedEvent } from '../support/platform/events.ts'
import { eventBody, signedHeaders } from '../support/webhooks.ts'

let checkout: Checkout
beforeAll(async () => {
  const paths = ['build.sh', 'lib', 'package.json', 'package-lock.json', 'packages', 'project.yml']
  checkout = copyCheckout(paths)
  const from = '../../../functions-devkit/test/support/misbehaving-handlers.ts'
  checkout.write('lib/app/webhooks/handlers/index.ts', `export { misbehavingHandlers as handlers } from '${from}'\n`)
  await buildBundles(checkout.folder)
}, 120_000)
afterAll(() => checkout.remove())

const TABLES = 'CREATE TABLE effects (what text); CREATE SEQUENCE tries; CREATE TABLE locked (id int PRIMARY KEY); INSERT INTO locked VALUES (1)'
const effectsIn = async (database: TestDatabase) => (await database.query<{ what: string }>('SELECT what FROM effects')).map(({ what }) => what)
const deferred = { status: 202, body: { outcome: 'deferred' } }
const parked = { status: 200, body: { outcome: 'failed' } }
const pendingRow = { outcome: null, attempts: 1 }
const failedRow = { outcome: 'failed', attempts: 1 }

interface Expected {
  readonly answer: object
  readonly row: object
  readonly effects?: readonly string[]
  readonly elsewhere?: readonly string[]
}

const EXPECTED: Record<keyof typeof misbehaviours, Expected> = {
  'a refused fetch': { answer: deferred, row: pendingRow },
  'another pg client': { answer: deferred, row: pendingRow },
  'stock Sequelize': { answer: deferred, row: pendingRow },
  'another resilient instance': { answer: deferred, row: { ...pendingRow, last_error: 'database-unavailable' } },
  'the looks of a conflict': { answer: deferred, row: pendingRow },
  'the looks of a shutdown': { answer: deferred, row: pendingRow },
  "the driver's words": { answer: deferred, row: pendingRow },
  'a second instance': {
    answer: { status: 200, body: { outcome: 'applied' } },
    row: { outcome: 'applied' },
    effects: ['ours'],
    elsewhere: ['elsewhere', 'elsewhere'],
  },
  'transaction.rollback()': { answer: parked, row: { ...failedRow, last_error: 'nested-operation' } },
  'transaction.rollback(), handled': { answer: parked, row: { ...failedRow, last_error: 'nested-operation' } },
  'ROLLBACK by SQL': { answer: parked, row: { ...failedRow, last_error: 'nested-operation' } },
  // What the handler itself has committed stays, and the event is not told to be applied.
  'COMMIT by SQL': { answer: parked, row: { ...failedRow, last_error: 'nested-operation' }, effects: ['ours'] },
  'COMMIT AND CHAIN': { answer: parked, row: { ...failedRow, last_error: 'nested-operation' }, effects: ['ours'] },
  'COMMIT and an error': { answer: parked, row: { ...failedRow, last_error: 'nested-operation' }, effects: ['ours'] },
  'NOWAIT in a savepoint': { answer: parked, row: { ...failedRow, last_error: 'row-taken' } },
  'NOWAIT in a savepoint by SQL': { answer: parked, row: { ...failedRow, last_error: 'row-taken' } },
  'a conflict in a savepoint': { answer: parked, row: { ...failedRow, last_error: 'row-taken' } },
  'NOWAIT alone': { answer: deferred, row: { ...pendingRow, last_error: '55P03' } },
}

// One container and its connection serve them all: none of them may spoil it.
describe('with a handler that misbehaves', () => {
  let database: TestDatabase
  let other: TestDatabase
  let webhook: Container
  beforeAll(async () => {
    database = await createTestDatabase()
    other = await createTestDatabase({ empty: true })
    await database.query(TABLES)
    await other.query('CREATE TABLE effects (what text)')
    webhook = await containerOf('api/webhook', 'digitalocean', database, {}, checkout.folder)
    await send('evt_0', { how: 'nothing', elsewhere: '' })
  })
  beforeEach(async () => {
    await database.query('TRUNCATE effects, webhook_events; ALTER SEQUENCE tries RESTART')
    await other.query('TRUNCATE effects')
  })
  afterAll(async () => {
    await stopContainers()
    await database.drop()
    await other.drop()
  })

  function send(id: string, data: object) {
    const body = eventBody('own.misbehaved', data)
    return callWeb(webhook, { method: 'POST', path: '/demo', headers: signedHeaders(body, { id }), body })
  }

  it.each(Object.entries(EXPECTED))('keeps its promises: %s', async (how, { answer, row, effects = [], elsewhere = [] }) => {
    await database.query('BEGIN')
    await database.query('SELECT FROM locked FOR UPDATE')
    const first = await send('evt_1', { how, elsewhere: other.url })
    await database.query('COMMIT')
    expect(first).toMatchObject(answer)
    expect(await database.query('SELECT last_value::int AS n FROM tries')).toEqual([{ n: 1 }])
    expect(await database.query('SELECT outcome, attempts, last_error FROM webhook_events')).toMatchObject([row])
    expect([await effectsIn(database), await effectsIn(other)]).toEqual([effects, elsewhere])

    // The next event finds breaker and connection as they were.
    const next = await send('evt_2', { how: 'nothing', elsewhere: '' })
    expect(next).toMatchObject({ status: 200, body: { outcome: 'applied' } })
    expect([...first.lines, ...next.lines].filter(({ event }) => event === 'database.connection.established')).toEqual([])
    expect(await effectsIn(database)).toEqual([...effects, 'ours'])
  })
})

it.each(['COMMIT by SQL', 'ROLLBACK by SQL', 'another resilient instance'] as const)('keeps them in a later attempt that meets %s', async how => {
  await withDatabase(async database => {
    await database.query(TABLES)
    const webhook = await containerOf('api/webhook', 'digitalocean', database, {}, checkout.folder)
    const body = eventBody('own.misbehaved', { how: 'a refused fetch', elsewhere: '' })
    await callWeb(webhook, { method: 'POST', path: '/demo', headers: signedHeaders(body, { id: 'evt_1' }), body })
    const mended = eventBody('own.misbehaved', { how, elsewhere: '' })
    await database.query('UPDATE webhook_events SET next_attempt_at = now(), body = $1', [Buffer.concat([Buffer.of(0), Buffer.from(mended)])])
    const maintenance = await containerOf('ops/maintenance', 'digitalocean', database, {}, checkout.folder)
    expect((await maintenance.run(invokedEvent({ task: 'maintenance' }))).result).toMatchObject({ complete: true })
    const { row, effects = [] } = EXPECTED[how]
    expect(await database.query('SELECT outcome, attempts, last_error FROM webhook_events')).toMatchObject([{ ...row, attempts: 2 }])
    expect(await effectsIn(database)).toEqual(effects)
    await stopContainers()
  })
})
