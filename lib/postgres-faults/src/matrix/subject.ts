import { openDatabase } from '../../../functions-runtime/src/database/connect.ts'
import { databaseSettings, type DatabaseSettings } from '../../../functions-runtime/src/database/settings.ts'
import type { DefineModels } from '../../../functions-runtime/src/database/models.ts'
import { type PoolManager } from '../../../resilient-sequelize/src/pool/manager.ts'
import { type DatabaseService } from '../../../functions-runtime/src/database/service.ts'
import { createLogger } from '../../../functions-runtime/src/telemetry/logger.ts'
import { type Proxy } from '../proxy/proxy.ts'
import { type ChaosDatabase } from './chaos-database.ts'

/** A clock that a test puts forward: what is idle ages without waiting. */
export interface Clock {
  now(): number
  advance(ms: number): void
}

/** What the faults are for: one container's database, in this process, behind a proxy. */
export interface Subject {
  manager: PoolManager
  service: DatabaseService
  clock: Clock
}

export interface EnvironmentOptions {
  database: ChaosDatabase
  proxy: Pick<Proxy, 'host' | 'port' | 'authority'>
  poolMax?: number
  /** What the way behind the proxy adds. */
  variables?: Readonly<Record<string, string>>
}

/** The longest that a call may take: after it the server ends what stands idle in a transaction. */
export const TIME_LIMIT_MS = 3_500
/** After so long without a statement the server ends a session: minutes in production, little here. */
export const IDLE_SESSION_MS = 2_000

/** The variables of a function that reaches a database through a proxy, with TLS. */
export function environmentOf({ database, proxy, poolMax = 1, variables = {} }: EnvironmentOptions): Record<string, string> {
  return {
    DB_HOST: proxy.host,
    DB_PORT: String(proxy.port),
    DB_NAME: database.name,
    DB_USER: database.server.user,
    DB_PASSWORD: database.server.password,
    DB_CA_CERT: proxy.authority,
    DB_SSLMODE: 'verify-full',
    DB_POOL_MAX: String(poolMax),
    DB_IDLE_SESSION_MS: String(IDLE_SESSION_MS),
    LOG_LEVEL: process.env.CHAOS_LOG_LEVEL ?? 'silent',
    ...variables,
  }
}

export interface SubjectOptions {
  readonly environment: Record<string, string>
  readonly applicationName: string
  /** Loads the function that defines the models, for work that uses any. */
  readonly models?: () => Promise<DefineModels>
}

/** Makes a container's database in this process; connects to nothing. */
export function createSubject({ environment, applicationName, models }: SubjectOptions): Subject {
  const settings = settingsFrom(environment)
  let aheadMs = 0
  const clock = { now: () => Date.now() + aheadMs, advance: (ms: number) => void (aheadMs += ms) }
  const level = (process.env.CHAOS_LOG_LEVEL ?? 'silent') as 'silent'
  const logger = createLogger({ name: applicationName, level, destination: { write: line => void process.stdout.write(line) } })
  return { ...openDatabase({ settings, applicationName, timeLimitMs: TIME_LIMIT_MS, logger, now: clock.now, ...(models && { models }) }), clock }
}

function settingsFrom(environment: Record<string, string>): DatabaseSettings {
  const { value } = databaseSettings.parse(environment)
  if (!value) throw new Error('The settings of the matrix are wrong')
  return value
}
