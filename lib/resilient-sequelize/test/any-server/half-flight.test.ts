import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { ResilientSequelize } from '../../src/index.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { runWithDeadline } from '../../../invocation/src/deadline-scope.ts'
import { hasPgBouncer, startPgBouncer } from '../../../postgres-faults/src/pgbouncer.ts'
import { startProxy, type Proxy } from '../../../postgres-faults/src/proxy/proxy.ts'
import { withDatabase, type TestDatabase } from '../../../functions-devkit/test/support/database.ts'

// Only the first half of a flight reaches the session that a pooler lent for it. The session waits for the rest, and no time
// limit of the server ends that.

const NAME = 'half-flight'

interface Stage {
  readonly sequelize: ResilientSequelize
  readonly proxy: Proxy
  readonly database: TestDatabase
  /** Another client of the pooler, with the same name and user. */
  connect(): Promise<pg.Client>
}

async function withStage(work: (stage: Stage) => Promise<void>): Promise<void> {
  await withDatabase(
    async database => {
      const { host, port, user, password } = database.connectionSettings
      await database.query('CREATE TABLE notes (text text)')
      const pooler = await startPgBouncer({ server: { host, port, user, password }, settings: { ignore_startup_parameters: '' } })
      const proxy = await startProxy({ target: { host: pooler.host, port: pooler.port }, certificates: false })
      const sequelize = new ResilientSequelize(database.name, user, password, {
        host: proxy.host,
        port: proxy.port,
        logging: false,
        pool: { max: 1 },
        dialectOptions: { application_name: NAME },
        resilience: { pooled: true },
      })
      const others: pg.Client[] = []
      const connect = async () => {
        const client = new pg.Client({ host: pooler.host, port: pooler.port, user, password, database: database.name, application_name: NAME })
        others.push(client)
        await client.connect()
        return client
      }
      try {
        await work({ sequelize, proxy, database, connect })
      } finally {
        await Promise.all([sequelize.gracefulShutdown(), ...others.map(client => client.end())])
        await proxy.stop()
        await pooler.stop()
      }
    },
    { empty: true },
  )
}

async function within<Result>(remainingMs: number, work: () => Promise<Result>): Promise<Result> {
  const deadline = openDeadline({ remainingMs, reserveMs: 0 })
  try {
    return await runWithDeadline(deadline, work)
  } finally {
    deadline.clear()
  }
}

const waiting = async (database: TestDatabase) =>
  database.query<{ query: string }>(
    "SELECT left(query, 20) AS query FROM pg_stat_activity WHERE application_name = $1 AND state = 'active' AND wait_event = 'ClientRead'",
    [NAME],
  )

/** Begins a COPY whose rows are still to come; ends it when told. */
async function beginCopy(client: pg.Client): Promise<() => Promise<string>> {
  let ended: (tag: string) => void = () => undefined
  const tag = new Promise<string>(resolve => (ended = resolve))
  await new Promise<void>((resolve, reject) => {
    const submittable = {
      submit: (connection: pg.Connection) => void connection.query('COPY notes FROM STDIN'),
      handleCopyInResponse: () => resolve(),
      handleError: reject,
      handleCommandComplete: ({ text }: { text: string }) => ended(text),
      handleReadyForQuery: () => undefined,
    }
    client.query(submittable as never)
  })
  const { connection } = client as unknown as { connection: { endCopyFrom(): void } }
  return () => {
    connection.endCopyFrom()
    return tag
  }
}

describe.runIf(hasPgBouncer())('half of a flight through a pooler', () => {
  it.each([
    ['a statement of a read unit', (of: ResilientSequelize) => of.execute('half', ({ query }) => query('SELECT 1 AS half'), { mode: 'read' })],
    [
      'the second statement of a read unit',
      (of: ResilientSequelize) =>
        of.execute(
          'half',
          async ({ query }) => {
            await query('SELECT 1')
            return query('SELECT 1 AS half')
          },
          { mode: 'read' },
        ),
    ],
    [
      'a query behind a comment',
      (of: ResilientSequelize) => of.execute('half', ({ query }) => query('/* first */ SELECT 1 AS half'), { mode: 'read' }),
    ],
  ])('%s is answered by another session, and leaves none that waits', async (_what, ask) => {
    await withStage(async ({ sequelize, proxy, database }) => {
      await sequelize.query('SELECT 1')
      const fault = proxy.addFault({ on: 'statement', matches: /AS half/, when: 'before', action: 'silence' })
      expect(await within(6_000, () => ask(sequelize))).toEqual([{ half: 1 }])
      expect(fault.fired()).toBe(1)
      expect(await waiting(database)).toEqual([])
    })
  })

  it('leaves a COPY of the same application alone that waits as long', async () => {
    await withStage(async ({ sequelize, proxy, database, connect }) => {
      await sequelize.query('SELECT 1')
      const end = await beginCopy(await connect())
      await expect.poll(() => waiting(database)).toHaveLength(1)
      proxy.addFault({ on: 'statement', matches: /AS half/, when: 'before', action: 'silence' })
      const asked = within(6_000, () => sequelize.execute('half', ({ query }) => query('SELECT 1 AS half'), { mode: 'read' }))
      expect(await asked).toEqual([{ half: 1 }])
      expect(await waiting(database)).toEqual([{ query: 'COPY notes FROM STDI' }])
      expect(await end()).toBe('COPY 0')
    })
  })
})
