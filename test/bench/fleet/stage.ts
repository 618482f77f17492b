import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { databaseUrl, withConnection, type ServerAddress } from '../../../lib/functions-devkit/src/server/postgres/connection.ts'
import { dataRootFor } from '../../../lib/functions-devkit/src/server/postgres/data-root.ts'
import { startPostgres } from '../../../lib/functions-devkit/src/server/postgres/local-postgres.ts'
import { startPgBouncer, type PgBouncer } from '../../../lib/postgres-faults/src/pgbouncer.ts'
import { makeServerFolder, removeAbandonedServers } from '../../../lib/postgres-faults/src/server-folder.ts'
import { migrate } from '../../../lib/functions-devkit/test/support/templates.ts'
import { countConnections, countLogins, type ConnectionCounts } from './connection-log.ts'
import { processorTimeOf } from './processor-time.ts'

export const MAX_CONNECTIONS = 25
export const RESERVED_CONNECTIONS = 3
export const USABLE = MAX_CONNECTIONS - RESERVED_CONNECTIONS
/** Connections of the server that PgBouncer lends out: what a connection pool of the provider has by default. */
export const POOLER_SIZE = 10

const DATABASE = 'bench'
const USER = 'app'
const PASSWORD = 'app-of-the-bench'
/** A user that is there to be read. */
export const SEEDED_USER = '0198c0de-0000-7000-8000-000000000001'
// Until the server has written its log and has noticed who is gone.
const SETTLE_MS = 200
const LONGEST_END_MS = 10_000
const LONGEST_WAIT_MS = 10_000
const FULL = '53300'

/** One way to the database. */
export interface Route extends AsyncDisposable {
  name: 'direct' | 'PgBouncer'
  pooled: boolean
  address: ServerAddress & { database: string }
  url: string
  /** Connects since the route was opened: to the server, or of clients to the pooler. */
  counts(): Promise<ConnectionCounts>
  /** Processor time of the server, and of the pooler with it, in ms. */
  serverMs(): number | undefined
  /** Ends every connection of the fleet, so that what comes next has to connect. */
  disconnectAll(): Promise<void>
}

/** The server of the bench, which takes as few connections as the smallest plan. */
export interface Stage extends AsyncDisposable {
  version: string
  openRoute(name: Route['name']): Promise<Route>
  /** Sessions that the fleet, or the pooler for it, has open on the server. */
  held(): Promise<number>
  /** Users that are stored: what every write of the bench makes. */
  stored(): Promise<number>
}

/** Starts PostgreSQL, without TLS, and makes a database for a user who is no superuser. */
export async function openStage(): Promise<Stage> {
  await removeAbandonedServers()
  await using undo = new AsyncDisposableStack()
  const folder = await makeServerFolder()
  undo.defer(() => rm(folder, { recursive: true, force: true }))
  const log = countConnections(USER)
  // Whoever ends the bench in the middle ends these, too.
  const poolers = new Set<PgBouncer>()
  const postgres = await startPostgres({
    folder,
    programsFolder: dataRootFor(resolve(import.meta.dirname, '../../..')).folder,
    settings: {
      max_connections: String(MAX_CONNECTIONS),
      superuser_reserved_connections: String(RESERVED_CONNECTIONS),
      log_connections: 'on',
      fsync: 'off',
      autovacuum: 'off',
    },
    onLog: log.read,
  })
  undo.defer(() => postgres.stop())
  undo.defer(async () => void (await Promise.all([...poolers].map(pooler => pooler.stop()))))
  const app = { host: postgres.host, port: postgres.port, user: USER, password: PASSWORD }
  // As a superuser, so that nothing is held that the fleet could have. Whoever is being told that the rest is reserved
  // takes one of those for a moment.
  async function ask<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    for (const until = performance.now() + LONGEST_WAIT_MS; ; await sleep(SETTLE_MS)) {
      try {
        return await withConnection(postgres, DATABASE, async client => (await client.query<Row>(sql, values)).rows)
      } catch (error) {
        if ((error as { code?: string }).code !== FULL || performance.now() > until) throw error
      }
    }
  }
  await postgres.createDatabase(DATABASE)
  await ask(`CREATE ROLE ${USER} LOGIN PASSWORD ${pg.escapeLiteral(PASSWORD)}`)
  await ask(`ALTER DATABASE ${DATABASE} OWNER TO ${USER}`)
  await migrate(databaseUrl(app, DATABASE))
  await withConnection(app, DATABASE, client =>
    client.query("INSERT INTO users (id, email, name, created_at, updated_at) VALUES ($1, 'seed@example.com', 'Seed', now(), now())", [SEEDED_USER]),
  )
  const [server] = await ask<{ version: string }>("SELECT current_setting('server_version') AS version")

  async function held(): Promise<number> {
    await sleep(SETTLE_MS)
    const [row] = await ask<{ count: number }>('SELECT count(*)::int AS count FROM pg_stat_activity WHERE usename = $1', [USER])
    return row?.count ?? 0
  }

  async function stored(): Promise<number> {
    const [row] = await ask<{ count: number }>('SELECT count(*)::int AS count FROM users')
    return row?.count ?? 0
  }

  async function allGone(): Promise<void> {
    const until = performance.now() + LONGEST_END_MS
    while ((await held()) > 0) if (performance.now() > until) throw new Error('sessions of the fleet do not end')
  }

  const endSessions = () => ask('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [USER])

  const routes = {
    async direct(): Promise<Route> {
      const before = log.counts()
      return {
        name: 'direct',
        pooled: false,
        address: { ...app, database: DATABASE },
        url: databaseUrl(app, DATABASE),
        counts: async () => (await sleep(SETTLE_MS), minus(log.counts(), before)),
        serverMs: () => processorTimeOf(postgres.pid ?? 0),
        async disconnectAll() {
          await endSessions()
          await allGone()
        },
        [Symbol.asyncDispose]: allGone,
      }
    },
    async PgBouncer(): Promise<Route> {
      const logins = countLogins()
      const settings = { default_pool_size: String(POOLER_SIZE), max_client_conn: '1000', log_connections: '1' }
      const pooler = await startPgBouncer({ server: app, settings, onLog: logins.read })
      poolers.add(pooler)
      return {
        name: 'PgBouncer',
        pooled: true,
        address: { ...app, port: pooler.port, database: DATABASE },
        url: databaseUrl(pooler, DATABASE),
        counts: async () => (await sleep(SETTLE_MS), logins.counts()),
        serverMs() {
          const [server, between] = [processorTimeOf(postgres.pid ?? 0), processorTimeOf(pooler.pid)]
          return server === undefined || between === undefined ? undefined : server + between
        },
        async disconnectAll() {
          for (const command of [`KILL ${DATABASE}`, `RESUME ${DATABASE}`]) await withConnection(pooler, 'pgbouncer', client => client.query(command))
          await allGone()
        },
        async [Symbol.asyncDispose]() {
          poolers.delete(pooler)
          await pooler.stop()
          await allGone()
        },
      }
    },
  }

  const owned = undo.move()
  return { version: server?.version ?? '', openRoute: name => routes[name](), held, stored, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

function minus(now: ConnectionCounts, before: ConnectionCounts): ConnectionCounts {
  return { connects: now.connects - before.connects, turnedAway: now.turnedAway - before.turnedAway }
}
