import type pg from 'pg'
import type { Options, Sequelize, Transaction } from 'sequelize'
import type { DatabaseSettings } from '../config/settings/database.ts'
import type { Models } from './models/index.ts'
import { wait } from '../resilience/wait.ts'

/** A connection as sequelize's pool hands it out. */
export type Connection = pg.Client & { uuid?: string | undefined }

/** Parts of sequelize that its types hide. */
interface ConnectionManager {
  pool: { readonly size: number; readonly available: number; readonly using: number; readonly waiting: number }
  nameOidMap: Record<string, { oid: number; arrayOid: number }>
  getConnection(options?: { uuid?: string }): Promise<Connection>
  releaseConnection(connection: Connection): void
  destroyConnection(connection: Connection): Promise<void>
}

type EnlistedClass = new (sequelize: Sequelize, options: object) => Transaction & { id: string; connection: Connection }

export interface PoolCounts {
  size: number
  idle: number
  inUse: number
  waiting: number
}

/** One Sequelize instance with its pool and its models. When it is closed or spoiled another takes its place. */
export interface Generation {
  readonly number: number
  readonly sequelize: Sequelize
  readonly models: Models
  /** What tells sequelize's calls to use `connection`; it begins and ends nothing by itself. */
  enlist(connection: Connection): Transaction
  acquire(): Promise<Connection>
  release(connection: Connection): void
  /** Drops a connection at once, without waiting for the server's answer. */
  destroy(connection: Connection): void
  counts(): PoolCounts
  /** Ends the pool politely; after `withinMs` whatever is still open loses its socket. */
  close(withinMs: number): Promise<void>
}

// Longest time for one attempt to connect, log-in included.
const CONNECT_MS = 5_000
// Known to every sequelize of version 6 and never compared: it only saves the question for the server's version.
const ASSUMED_SERVER_VERSION = '14.0.0'

/**
 * Builds a generation. Sequelize and pg are loaded here, on the first use of the database, not with the function.
 * Tuned to open one connection and to send no statement of its own (see the README's decisions).
 */
export async function buildGeneration(
  settings: DatabaseSettings,
  { number, applicationName }: { number: number; applicationName: string },
): Promise<Generation> {
  const [{ Sequelize: SequelizeClass, Transaction: TransactionClass }, pgModule, { defineModels }] = await Promise.all([
    import('sequelize'),
    import('pg'),
    import('./models/index.ts'),
  ])
  const options: Options & { databaseVersion: string; keepDefaultTimezone: boolean } = {
    dialect: 'postgres',
    dialectModule: pgModule.default,
    host: settings.host,
    port: settings.port,
    database: settings.name,
    username: settings.user,
    password: settings.password,
    databaseVersion: ASSUMED_SERVER_VERSION,
    keepDefaultTimezone: true,
    logging: false,
    pool: {
      max: settings.pool.max,
      min: settings.pool.min,
      acquire: settings.pool.acquireMs,
      idle: settings.pool.idleMs,
      evict: settings.pool.evictMs,
    },
    dialectOptions: {
      clientMinMessages: 'ignore',
      application_name: applicationName,
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
      ssl: settings.tls.mode === 'off' ? false : { ...settings.tls.options },
      ...(settings.idleSessionMs > 0 ? { options: `-c idle_session_timeout=${settings.idleSessionMs}` } : {}),
    },
  }
  const sequelize = new SequelizeClass(options)
  const manager = (sequelize as unknown as { connectionManager: ConnectionManager }).connectionManager
  // A map that is not empty keeps sequelize from asking the server for its types; the real ones pg knows by itself.
  manager.nameOidMap = { timestamptz: { oid: 1184, arrayOid: 1185 } }

  // Every connection there is, so that a bounded close can reach those that the pool has lost sight of.
  const connections = new Set<Connection>()
  sequelize.addHook('afterConnect', connection => {
    const client = connection as Connection
    connections.add(client)
    client.once('end', () => connections.delete(client))
  })

  return {
    number,
    sequelize,
    models: defineModels(sequelize),
    enlist(connection) {
      const transaction = new (TransactionClass as unknown as EnlistedClass)(sequelize, {})
      transaction.connection = connection
      connection.uuid = transaction.id
      return transaction
    },
    acquire: () => manager.getConnection(),
    release: connection => manager.releaseConnection(connection),
    destroy(connection) {
      connection.connection.stream.destroy()
      manager.destroyConnection(connection).catch(() => undefined)
    },
    counts: () => ({ size: manager.pool.size, idle: manager.pool.available, inUse: manager.pool.using, waiting: manager.pool.waiting }),
    async close(withinMs) {
      const stop = new AbortController()
      const polite = sequelize.close().catch(() => undefined)
      await Promise.race([polite, wait(withinMs, stop.signal).catch(() => undefined)])
      stop.abort()
      for (const connection of connections) connection.connection.stream.destroy()
    },
  }
}
