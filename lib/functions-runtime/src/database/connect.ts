import { randomBytes } from 'node:crypto'
import type { Options } from 'sequelize'
import type { DatabaseSettings } from './settings.ts'
import { pgTls } from '../settings/tls.ts'
import { CodedError } from '../../../invocation/src/errors.ts'
import { noteCount } from '../../../invocation/src/invocation-scope.ts'
import type { RetryBudget } from '../../../invocation/src/retry-budget.ts'
import { statusOf } from '../edge/status-of.ts'
import { Executor } from '../../../resilient-sequelize/src/operation/executor.ts'
import type { EarlyConnection } from '../../../resilient-sequelize/src/pool/early-connection.ts'
import { PoolManager, type BuildGeneration, type BuildOptions } from '../../../resilient-sequelize/src/pool/manager.ts'
import type { GuardedClient } from '../../../resilient-sequelize/src/wire/guarded-client.ts'
import { createCounters, type Counters } from '../telemetry/counters.ts'
import type { Logger } from '../telemetry/logger.ts'
import { CounterFlush } from './counter-flush.ts'
import { loadSequelize } from './load-sequelize.ts'
import type { DefineModels } from './models.ts'
import { DatabaseService, type Loaded } from './service.ts'

/** The two things that a function holds of the database. */
export interface Database {
  readonly manager: PoolManager
  readonly service: DatabaseService
}

export interface DatabaseOptions {
  settings: DatabaseSettings
  /** Shown by the server for each session; says which function holds it. */
  applicationName: string
  /** Loads the function that defines the application's models, after Sequelize is loaded. Default: no models. */
  models?: () => Promise<DefineModels>
  /** How long an invocation may take at most, in ms: after it the server ends what stands idle in a transaction. */
  timeLimitMs?: number
  logger: Logger
  counters?: Counters
  /** Sends what is to ride behind a COMMIT. */
  behindCommit?: (client: GuardedClient) => void
  budget?: RetryBudget
  now?: () => number
  random?: () => number
  /** Stands around the building of each pool; for tests. */
  around?: (build: BuildGeneration) => BuildGeneration
}

// Notices of the server are not looked at.
const QUIET = { clientMinMessages: 'ignore' } as const
// The longest limit that project.yml gives a function.
const LONGEST_TIME_LIMIT_MS = 60_000

/**
 * Prepares the database of one function; connects to nothing. Warns when the connection will not be verified. The
 * server shows the function's name for each session, with a mark that no other container has.
 */
export function prepareDatabase(
  settings: DatabaseSettings,
  {
    name,
    logger,
    timeLimitMs,
    models,
  }: { name: string } & Pick<DatabaseOptions, 'logger' | 'models'> & Required<Pick<DatabaseOptions, 'timeLimitMs'>>,
): Database {
  if (settings.tls.mode === 'unverified') {
    logger.warn({ event: 'database.tls.unverified', hint: 'Set DB_CA_CERT: the connection is encrypted, but the server is not verified.' })
  }
  const counters = createCounters({ noted: noteCount })
  return openDatabase({
    settings,
    applicationName: `${name}:${randomBytes(4).toString('hex')}`,
    timeLimitMs,
    logger,
    counters,
    ...(models && { models }),
    behindCommit: new CounterFlush({ counters, functionName: name, schema: settings.schema, logger }).send,
  })
}

/**
 * The database of a function on one ResilientSequelize, which is loaded with pg on the first use: a function that is
 * refused needs neither. The first connection is begun before Sequelize is loaded.
 */
export function openDatabase(options: DatabaseOptions): Database {
  const { settings, logger, counters = createCounters(), behindCommit, budget, now, random, around = same } = options
  let loaded: Loaded | undefined
  const load = once(async (early: EarlyConnection | undefined) => (loaded = await loadModels(options, manager, early)))

  const build = async (asked: BuildOptions) => {
    // Nothing of the package is loaded with the function but what refuses and counts.
    const early = asked.connecting && loaded === undefined && asked.number === 1 ? await beginEarly(options) : undefined
    const { sequelize } = await load(early).catch((error: unknown) => {
      early?.take()?.destroySocket()
      throw error
    })
    const { buildGeneration } = await import('../../../resilient-sequelize/src/resilient-sequelize.ts')
    return buildGeneration(sequelize, asked)
  }
  const manager: PoolManager = new PoolManager({
    profile: settings.profile,
    pooled: settings.pooled,
    slowOperationMs: settings.slowOperationMs,
    build: around(build),
    logger,
    counters,
    behindCommit,
    now,
  })
  const isExpected = (error: unknown) => error instanceof CodedError && statusOf(error) < 500
  const executor = new Executor({ manager, logger, counters, budget, random, isExpected, durable: true })
  const service = new DatabaseService({
    executor,
    counters,
    schema: settings.schema,
    loaded() {
      if (loaded === undefined) throw new TypeError('A unit of work runs before Sequelize is loaded.')
      return loaded
    },
  })
  return { manager, service }
}

async function loadModels(options: DatabaseOptions, manager: PoolManager, early: EarlyConnection | undefined): Promise<Loaded> {
  const { settings, timeLimitMs = LONGEST_TIME_LIMIT_MS, logger, now } = options
  await loadSequelize()
  const { ResilientSequelize } = await import('../../../resilient-sequelize/src/class.ts')
  const { pool } = settings.profile
  const sequelize = new ResilientSequelize({
    dialect: 'postgres',
    ...addressOf(settings),
    username: settings.user,
    logging: false,
    // The functions' statements do not depend on it, and a session has the server's own.
    keepDefaultTimezone: true,
    pool: { max: pool.max, min: pool.min, acquire: pool.acquireMs, idle: pool.idleMs, evict: pool.evictMs },
    dialectOptions: { ...sessionOf(options), ...QUIET },
    resilience: {
      manager,
      pooled: settings.pooled,
      idleSessionMs: settings.profile.idleSessionMs,
      transactionIdleMs: timeLimitMs,
      logger,
      ...(early && { early }),
      ...(now && { now }),
    },
  } as Options)
  const models = (await options.models?.())?.(sequelize, settings.schema)
  return { sequelize, models }
}

async function beginEarly(options: DatabaseOptions): Promise<EarlyConnection> {
  const { connectEarly } = await import('../../../resilient-sequelize/src/early.ts')
  const { startUpOptions } = await import('../../../resilient-sequelize/src/wire/start-up.ts')
  const { settings, timeLimitMs = LONGEST_TIME_LIMIT_MS, now } = options
  const { sslnegotiation, ...session } = sessionOf(options)
  const added = settings.pooled
    ? {}
    : { options: startUpOptions({ dialectOptions: QUIET, resilience: { transactionIdleMs: timeLimitMs } }, settings.profile) }
  return connectEarly({ ...addressOf(settings), user: settings.user, ...session, ...added }, { sslnegotiation, ...(now && { now }) })
}

function addressOf({ host, port, name, password }: DatabaseSettings) {
  return { host, port, database: name, password }
}

function sessionOf({ settings, applicationName }: DatabaseOptions) {
  return { application_name: applicationName, keepAlive: true, ...pgTls(settings.tls, settings.host) }
}

/** Shares one start among all callers, and forgets one that failed. */
function once<Given, Result>(start: (given: Given) => Promise<Result>): (given: Given) => Promise<Result> {
  let started: Promise<Result> | undefined
  return given =>
    (started ??= start(given).catch((error: unknown) => {
      started = undefined
      throw error
    }))
}

function same<Value>(value: Value): Value {
  return value
}
