import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { resolve4 } from 'node:dns/promises'
import pg from 'pg'
import { ConnectionRefusedError, DatabaseError, Sequelize } from 'sequelize'
import { describe, expect, it } from 'vitest'
import { DatabaseUnavailableError, makeResilient, type Work } from '../../src/index.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { withStage, type Stage } from './stage.ts'

// Only what the unit's own connection, pool or server reported is the database's.

const NOWHERE = 'postgres://nobody@127.0.0.1:9/none'

const socketError = () => new Promise<Error>(resolve => connect(9, '127.0.0.1').on('error', resolve))
const tlsError = () => new Promise<Error>(resolve => connectTls(9, '127.0.0.1').on('error', resolve))
const failure = async (work: () => Promise<unknown>): Promise<unknown> =>
  work().then(
    () => Promise.reject(new Error('this must fail')),
    (error: unknown) => error,
  )
const coded = (fields: object) => Object.assign(new Error('of another client'), fields)

const OTHERS: [string, (stage: Stage) => Promise<unknown>][] = [
  ['of a refused fetch', () => failure(() => fetch('http://127.0.0.1:9'))],
  ['of a refused socket', socketError],
  ['of a refused TLS socket', tlsError],
  ['of the resolver', () => failure(() => resolve4('host.invalid'))],
  ['of another pg client', () => failure(() => new pg.Client(NOWHERE).connect())],
  [
    "of another client's statement",
    ({ database }) => failure(() => database.query("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$")),
  ],
  ['of stock Sequelize', () => failure(() => new Sequelize(NOWHERE, { logging: false }).authenticate())],
  [
    'of another resilient instance',
    () =>
      failure(async () => {
        const deadline = openDeadline({ remainingMs: 500, reserveMs: 0 })
        const other = new (makeResilient(Sequelize))(NOWHERE, { logging: false })
        return other.execute('away', ({ query }) => query('SELECT 1'), { deadline }).finally(() => deadline.clear())
      }),
  ],
  ['with an errno', async () => coded({ code: 'ECONNRESET', syscall: 'read' })],
  ['with a SQLSTATE of conflict', async () => coded({ code: '40001', severity: 'ERROR' })],
  ['with a SQLSTATE of shutdown', async () => coded({ code: '57P01', severity: 'FATAL' })],
  ['with a TLS code', async () => coded({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })],
  ["in the driver's words", async () => new Error('Connection terminated unexpectedly')],
  ["in the pool's words", async () => new Error('ConnectionManager.getConnection was called after the connection manager was closed!')],
  ['of the class of a lost connection', async () => new ConnectionRefusedError(coded({ code: 'ECONNREFUSED' }))],
  ['that wraps one of the kind', async () => new Error('wrapped', { cause: coded({ code: '40P01', severity: 'ERROR' }) })],
  ['of many', async () => new AggregateError([coded({ code: 'ETIMEDOUT', syscall: 'connect' })])],
  ['made like a database error', async () => new DatabaseError(Object.assign(coded({ code: '53300', severity: 'FATAL' }), { sql: 'SELECT 1' }))],
]

describe.each(['write', 'read'] as const)('in work that is to %s', mode => {
  it.each(OTHERS)('an error %s is told as thrown, once', async (_which, make) => {
    await withStage(async stage => {
      const { sequelize, texts } = stage
      const error = await make(stage)
      const pid = async ({ query }: Work) => (await query<{ pid: number }>('SELECT pg_backend_pid() AS pid'))[0]?.pid
      const before = await sequelize.execute('look', pid, { mode })
      let tries = 0
      const failing = sequelize.execute(
        'fail',
        async ({ query }) => {
          tries += 1
          if (mode === 'write') await query("INSERT INTO notes VALUES ('taken back')")
          throw error
        },
        { mode },
      )
      await expect(failing).rejects.toBe(error)
      expect(tries).toBe(1)
      expect(await texts()).toEqual([])
      expect(sequelize.getConnectionStatus()).toMatchObject({ breaker: 'closed', generation: 1 })
      // The connection was kept.
      expect(await sequelize.execute('look', pid, { mode })).toBe(before)
    })
  })
})

it('opens no breaker, however many units fail for another client', async () => {
  await withStage(async ({ sequelize }) => {
    const error = await failure(() => fetch('http://127.0.0.1:9'))
    for (let time = 0; time < 30; time += 1) {
      const failing = sequelize.execute('fail', async () => {
        throw new DatabaseUnavailableError({ retryAfterMs: 1, cause: error })
      })
      await expect(failing).rejects.toMatchObject({ cause: error })
    }
    expect(sequelize.getConnectionStatus().breaker).toBe('closed')
    expect(await sequelize.execute('look', ({ query }) => query('SELECT 1 AS one'))).toEqual([{ one: 1 }])
  })
})

it("repeats a unit for an error of its own connection under the work's own words", async () => {
  await withStage(async ({ sequelize, texts }) => {
    let tries = 0
    await sequelize.execute('wrap', async ({ query }) => {
      tries += 1
      await query("INSERT INTO notes VALUES ('once')")
      if (tries > 1) return
      await query("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$").catch((cause: unknown) => {
        throw new Error('wrapped', { cause })
      })
    })
    expect(tries).toBe(2)
    expect(await texts()).toEqual(['once'])
  })
})
