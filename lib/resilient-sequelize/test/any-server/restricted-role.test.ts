import { randomBytes } from 'node:crypto'
import { QueryTypes } from 'sequelize'
import { describe, expect, it } from 'vitest'
import { ResilientSequelize, type Work } from '../../src/index.ts'
import { startProxy } from '../../../postgres-faults/src/proxy/proxy.ts'
import { hasPgBouncer, startPgBouncer } from '../../../postgres-faults/src/pgbouncer.ts'
import { withDatabase } from '../../../functions-devkit/test/support/database.ts'

// A role that may not read the identity of a transaction writes all the same, from its first statements on.

const AT_ONCE = 6
const FUNCTION = 'pg_catalog.pg_postmaster_start_time()'
/** Why the identity cannot be read, and the statement that makes it so. */
const REASONS = [
  ['may not read the last checkpoint', 'REVOKE EXECUTE ON FUNCTION pg_control_checkpoint() FROM PUBLIC'],
  ['may not read the start of the server', `REVOKE EXECUTE ON FUNCTION ${FUNCTION} FROM PUBLIC`],
  ['has a server without that function', `ALTER FUNCTION ${FUNCTION} RENAME TO unknown_start`],
  [
    'has a server that does not support that function',
    `ALTER FUNCTION ${FUNCTION} RENAME TO unknown_start; CREATE FUNCTION ${FUNCTION} RETURNS timestamptz LANGUAGE plpgsql AS 'BEGIN RAISE feature_not_supported; END'`,
  ],
] as const

type Insert = (sequelize: ResilientSequelize, text: string) => Promise<unknown>

const WRITES: readonly (readonly [name: string, insert: Insert])[] = [
  ['units', (sequelize, text) => sequelize.execute('note', ({ query }) => query('INSERT INTO notes VALUES ($text)', { text }))],
  ['stand-alone inserts', (sequelize, text) => sequelize.query('INSERT INTO notes VALUES ($text)', { bind: { text } })],
  [
    'transactions',
    (sequelize, text) => sequelize.transaction(transaction => sequelize.query('INSERT INTO notes VALUES ($text)', { bind: { text }, transaction })),
  ],
]

async function writeAtOnce(inserts: readonly Insert[], { restriction, pooled }: { restriction: string; pooled: boolean }): Promise<unknown> {
  return withDatabase(
    async database => {
      const { host, port } = database.connectionSettings
      const user = `restricted_${randomBytes(4).toString('hex')}`
      await database.query(`CREATE ROLE ${user} LOGIN PASSWORD 'secret'`)
      await database.query(`CREATE TABLE notes (text text); GRANT ALL ON notes TO ${user}; ${restriction}`)
      const server = { host, port, user, password: 'secret' }
      const pooler = pooled ? await startPgBouncer({ server, settings: { ignore_startup_parameters: '' } }) : undefined
      const sequelize = new ResilientSequelize(database.name, user, 'secret', {
        host,
        port: pooler?.port ?? port,
        logging: false,
        pool: { max: AT_ONCE },
      })
      try {
        await Promise.all(Array.from({ length: AT_ONCE }, async (_, number) => inserts[number % inserts.length]?.(sequelize, String(number))))
        return (await database.query<{ text: string }>('SELECT text FROM notes ORDER BY text')).map(({ text }) => text)
      } finally {
        await sequelize.gracefulShutdown()
        await pooler?.stop()
        await database.query(`DROP OWNED BY ${user}; DROP ROLE ${user}`)
      }
    },
    { empty: true },
  )
}

const ways = [
  ['direct', false],
  ['PgBouncer', true],
] as const

describe.each(ways)('over a fresh pool, %s', (_way, pooled) => {
  describe.skipIf(pooled && !hasPgBouncer()).each(REASONS)('by a role that %s', (_reason, restriction) => {
    it.each([...WRITES.map(([name, insert]) => [name, [insert]] as const), ['writes of each kind', WRITES.map(([, insert]) => insert)] as const])(
      'six first %s at once all succeed',
      async (_name, inserts) => {
        expect(await writeAtOnce(inserts, { restriction, pooled })).toEqual(Array.from({ length: AT_ONCE }, (_, number) => String(number)))
      },
    )
  })
})

describe('by a role that lost an answer to COMMIT', () => {
  const lose = async (restriction: string, write: (sequelize: ResilientSequelize) => Promise<unknown>) =>
    withDatabase(
      async database => {
        const { host, port } = database.connectionSettings
        const user = `restricted_${randomBytes(4).toString('hex')}`
        await database.query(`CREATE ROLE ${user} LOGIN PASSWORD 'secret'`)
        await database.query(`CREATE TABLE notes (text text); GRANT ALL ON notes TO ${user}; ${restriction}`)
        const proxy = await startProxy({ target: { host, port }, certificates: false })
        const sequelize = new ResilientSequelize(database.name, user, 'secret', { host: proxy.host, port: proxy.port, logging: false })
        try {
          const fault = proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'after', action: 'reset' })
          await write(sequelize)
          return { lost: fault.fired(), rows: await database.query('SELECT text FROM notes') }
        } finally {
          await sequelize.gracefulShutdown()
          await proxy.stop()
          await database.query(`DROP OWNED BY ${user}; DROP ROLE ${user}`)
        }
      },
      { empty: true },
    )
  const once = { lost: 1, rows: [{ text: 'a' }] }
  const insert = ({ query }: Work) => query("INSERT INTO notes VALUES ('a')")

  it('decides it by the id without functions that a failover alone needs', async () => {
    const restriction = 'REVOKE EXECUTE ON FUNCTION pg_last_wal_replay_lsn(), pg_last_xact_replay_timestamp() FROM PUBLIC'
    expect(await lose(restriction, sequelize => sequelize.execute('note', insert))).toEqual(once)
  })

  it('decides it by a row at once where the state of an id is not told', async () => {
    const restriction = 'REVOKE EXECUTE ON FUNCTION pg_xact_status(xid8) FROM PUBLIC'
    const wasCommitted = async (sequelize: ResilientSequelize) =>
      (await sequelize.query("SELECT FROM notes WHERE text = 'a'", { type: QueryTypes.SELECT })).length === 1
    const write = (sequelize: ResilientSequelize) => sequelize.execute('note', insert, { wasCommitted: () => wasCommitted(sequelize) })
    expect(await lose(restriction, write)).toEqual(once)
  })
})
