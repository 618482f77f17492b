import type { Options, Sequelize, Transaction } from 'sequelize'
import type { DatabaseSettings } from '../../../config/settings/database.ts'
import { pgTls } from '../../../config/tls.ts'
import { wait } from '../../../invocation/src/wait.ts'
import { guardClient, type GuardedClient } from '../wire/client.ts'
import { connectEarly, type EarlyConnection } from './early-connection.ts'
import { loadSequelize } from '../../../database/load-sequelize.ts'
import type { Models } from '../../../app/models/index.ts'
import { StatementRunner } from '../wire/statement.ts'
import type { TransactionLimits } from '../wire/limits.ts'
import { currentWork, NestedOperationError } from '../operation/work.ts'

/** Parts of sequelize that its types hide. */
interface ConnectionManager {
  pool: { readonly size: number; readonly available: number; readonly using: number; readonly waiting: number; destroyAllNow(): Promise<void> }
  nameOidMap: Record<string, { oid: number; arrayOid: number }>
  getConnection(options: { type: typeof OWN_REQUEST }): Promise<GuardedClient>
  releaseConnection(connection: GuardedClient): void
  destroyConnection(connection: GuardedClient): Promise<void>
}

type EnlistedClass = new (sequelize: Sequelize, options: object) => Transaction & { id: string; connection: GuardedClient }

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
  readonly statements: StatementRunner
  /** Limits that each transaction brings along, since its session has none of its own; `undefined` on a direct connection. */
  readonly transactionLimits: TransactionLimits | undefined
  /** Whether its connections start with options that a pooler may refuse. */
  readonly sendsOptions: boolean
  /** From now on each transaction brings its limits along: the options were dropped by a pooler that nobody told of. */
  takeForPooled(): void
  /** What tells sequelize's calls to use `connection`; it begins and ends nothing by itself. */
  enlist(connection: GuardedClient): Transaction
  acquire(): Promise<GuardedClient>
  /** Nobody waits for this connection any more: if it arrives all the same, the pool has it back. */
  abandon(acquired: Promise<GuardedClient>): void
  release(connection: GuardedClient): void
  /** Drops a connection at once, without waiting for the server's answer. */
  destroy(connection: GuardedClient): void
  counts(): PoolCounts
  /** Connections that are held or waited for: what comes on top of the pool's size waits for others of this process. */
  readonly claimed: number
  /** Ends politely, and waits for it, whatever connections nobody uses; the pool stays usable. */
  closeIdle(): Promise<void>
  /** Ends the pool politely; after `withinMs` whatever is still open loses its socket. */
  close(withinMs: number): Promise<void>
}

export interface GenerationOptions {
  number: number
  /** Shown by the server for each session. */
  applicationName: string
  /** After this long without a statement within a transaction the server ends the session: the function's time limit. */
  transactionIdleMs: number
  /** Whether the sessions are a pooler's: it refuses start-up options, and what is set for a session leaks to others. */
  pooled: boolean
  /** Whether somebody waits for a connection already: then it is begun before the rest is loaded. */
  connecting?: boolean
  now?: () => number
  /** Hears of each connection that is made. */
  connected?: (generation: number) => void
}

// Known to every sequelize of version 6 and never compared: it only saves the question for the server's version.
const ASSUMED_SERVER_VERSION = '14.0.0'
// How often the server looks whether the client of a running statement is still there.
const CLIENT_CHECK_MS = 500
// Tells our own requests for a connection from those of sequelize calls that were given no transaction.
const OWN_REQUEST = 'lease'

/**
 * Builds a generation. Sequelize and pg are loaded here, on the first use of the database, not with the function.
 * Tuned to open one connection and to send no statement of its own (see the README's decisions).
 */
export async function buildGeneration(settings: DatabaseSettings, options: GenerationOptions): Promise<Generation> {
  const { applicationName, transactionIdleMs, pooled, connecting = false, now = Date.now } = options
  const { default: pg } = await import('pg')
  const { ssl, sslnegotiation } = pgTls(settings.tls, settings.host)
  const Client = guardClient(pg.Client, { now, sslnegotiation })
  const session = {
    application_name: applicationName,
    keepAlive: true,
    ssl,
    ...(pooled ? {} : { options: startUpOptions({ idleSessionMs: settings.profile.idleSessionMs, transactionIdleMs }) }),
  }
  const { host, port, user, password, name: database } = settings
  const early = connecting ? connectEarly(Client, { host, port, user, password, database, ...session }, pg.types) : undefined
  try {
    return await build(settings, options, { lib: { ...pg, Client: early?.Client ?? Client }, session, early })
  } catch (error) {
    early?.take()?.destroySocket()
    throw error
  }
}

/** What sequelize connects with: pg with our client, what each session is told, and a connection that is on its way. */
interface Wire {
  readonly lib: object
  readonly session: object
  readonly early: EarlyConnection | undefined
}

async function build(
  settings: DatabaseSettings,
  { number, transactionIdleMs, pooled, connected }: GenerationOptions,
  wire: Wire,
): Promise<Generation> {
  const { Sequelize: SequelizeClass, Transaction: TransactionClass } = await loadSequelize()
  const { defineModels } = await import('../../../app/models/index.ts')
  const { pool } = settings.profile
  const options: Options & { databaseVersion: string; keepDefaultTimezone: boolean } = {
    dialect: 'postgres',
    dialectModule: wire.lib,
    host: settings.host,
    port: settings.port,
    database: settings.name,
    username: settings.user,
    password: settings.password,
    databaseVersion: ASSUMED_SERVER_VERSION,
    keepDefaultTimezone: true,
    logging: false,
    pool: { max: pool.max, min: pool.min, acquire: pool.acquireMs, idle: pool.idleMs, evict: pool.evictMs },
    dialectOptions: { clientMinMessages: 'ignore', ...wire.session },
  }
  // A call within a unit of work that was given no transaction joins that work's.
  SequelizeClass.useCLS({ bind: same, run: call, set: same, get: () => currentWork()?.work.transaction })
  const sequelize = new SequelizeClass(options)
  const manager = (sequelize as unknown as { connectionManager: ConnectionManager }).connectionManager
  // A map that is not empty keeps sequelize from asking the server for its types; the real ones pg knows by itself.
  manager.nameOidMap = { timestamptz: { oid: 1184, arrayOid: 1185 } }

  const ownLimits: TransactionLimits = { idleMs: transactionIdleMs, clientCheckMs: CLIENT_CHECK_MS }
  let limits = pooled ? ownLimits : undefined
  let claimed = 0
  // Every connection there is, so that a bounded close can reach those that the pool has lost sight of.
  const connections = new Set<GuardedClient>()
  sequelize.addHook('afterConnect', connection => {
    const client = connection as GuardedClient
    connections.add(client)
    connected?.(number)
    client.once('end', () => connections.delete(client))
  })
  // The namespace is sequelize's own for all instances: it may hand down the transaction of another database.
  sequelize.addHook('beforeQuery', ({ transaction }) => {
    const owner = (transaction as { sequelize?: Sequelize } | null | undefined)?.sequelize
    if (owner !== undefined && owner !== sequelize) throw new NestedOperationError('A sequelize call was made within work on another database.')
  })
  // With one connection in the pool such a call would wait for the very connection that its own work holds.
  sequelize.addHook('beforePoolAcquire', request => {
    if (currentWork() === undefined || (request as { type?: unknown }).type === OWN_REQUEST) return
    throw new NestedOperationError('A sequelize call within a unit of work asked for a connection of its own.')
  })

  return {
    number,
    sequelize,
    models: defineModels(sequelize),
    statements: new StatementRunner(sequelize),
    get transactionLimits() {
      return limits
    },
    sendsOptions: !pooled,
    takeForPooled: () => void (limits = ownLimits),
    enlist(connection) {
      const transaction = new (TransactionClass as unknown as EnlistedClass)(sequelize, {})
      transaction.connection = connection
      connection.uuid = transaction.id
      return transaction
    },
    get claimed() {
      return claimed
    },
    async acquire() {
      claimed += 1
      try {
        return await manager.getConnection({ type: OWN_REQUEST })
      } catch (error) {
        claimed -= 1
        throw error
      }
    },
    abandon(acquired) {
      // Not only once it settles: meanwhile nobody holds it, and whoever comes next does not wait for others.
      claimed -= 1
      acquired.then(
        connection => manager.releaseConnection(connection),
        () => void (claimed += 1),
      )
    },
    release(connection) {
      claimed -= 1
      manager.releaseConnection(connection)
    },
    destroy(connection) {
      claimed -= 1
      ;(connection as { _invalid?: boolean })._invalid = true
      connection.destroySocket()
      manager.destroyConnection(connection).catch(() => undefined)
    },
    counts: () => ({ size: manager.pool.size, idle: manager.pool.available, inUse: manager.pool.using, waiting: manager.pool.waiting }),
    async closeIdle() {
      await Promise.all([
        manager.pool.destroyAllNow(),
        wire.early
          ?.take()
          ?.end()
          .catch(() => undefined),
      ])
    },
    async close(withinMs) {
      const stop = new AbortController()
      const polite = sequelize.close().catch(() => undefined)
      await Promise.race([polite, wait(withinMs, stop.signal).catch(() => undefined)])
      stop.abort()
      wire.early?.take()?.destroySocket()
      for (const connection of connections) connection.destroySocket()
    },
  }
}

// sequelize asks for these parts of a namespace. A transaction that somebody begins on the bare instance is run by it as
// ever, but is not handed down to calls that do not name it.
function call(body: () => unknown): void {
  body()
}

function same<Given>(given: Given): Given {
  return given
}

// They cost no round trip. What a paused or lost container leaves behind, the server ends by itself.
function startUpOptions({ idleSessionMs, transactionIdleMs }: { idleSessionMs: number; transactionIdleMs: number }): string {
  return [
    `-c client_connection_check_interval=${CLIENT_CHECK_MS}`,
    `-c idle_in_transaction_session_timeout=${transactionIdleMs}`,
    ...(idleSessionMs > 0 ? [`-c idle_session_timeout=${idleSessionMs}`] : []),
  ].join(' ')
}
