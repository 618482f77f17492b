import type { Sequelize } from 'sequelize'
import type { ApplicationModels, DefineModels } from '../../../functions-runtime/src/database/models.ts'
import { databaseSettings, type DatabaseSettings } from '../../../functions-runtime/src/database/settings.ts'
import type { Profile } from '../../../resilient-sequelize/src/pool/profile.ts'
import { CounterFlush } from '../../../functions-runtime/src/database/counter-flush.ts'
import type { BuildGeneration, PoolManager } from '../../../resilient-sequelize/src/pool/manager.ts'
import { Executor, type ExecutorOptions } from '../../../resilient-sequelize/src/operation/executor.ts'
import type { Models } from '../application/lib/app/models/index.ts'
import { application } from '../../src/application.ts'
import { openDatabase } from '../../../functions-runtime/src/database/connect.ts'
import { DatabaseService } from '../../../functions-runtime/src/database/service.ts'
import { createCounters } from '../../../functions-runtime/src/telemetry/counters.ts'
import { createLogger } from '../../../functions-runtime/src/telemetry/logger.ts'
import { withDatabase, type TestDatabase } from './database.ts'
import { environmentFor } from './functions.ts'
import { startProxy, type Proxy } from '../../../postgres-faults/src/proxy/proxy.ts'

/** A service under test, on a database of its own behind a proxy that counts and goes wrong on command. */
export interface ServiceUnderTest {
  database: TestDatabase
  proxy: Proxy
  manager: PoolManager
  service: DatabaseService
  lines: Record<string, unknown>[]
  /** Moves the wall clock as the manager sees it. */
  passTime(ms: number): void
  /** Sessions that the service has open on the server. */
  sessions(): Promise<number>
}

export interface ServiceOptions {
  profile?: Partial<Profile>
  settings?: Partial<DatabaseSettings>
  variables?: Readonly<Record<string, string>>
  /** Stands around the building of each pool. */
  around?: (build: BuildGeneration) => BuildGeneration
  /** Default: those of the application. */
  models?: () => Promise<DefineModels>
  /** Adds what is counted to the fleet's counters, as functions do. */
  flush?: boolean
}

/** Runs a test with a service; dropping its database afterwards proves that it left no session behind. */
export async function withService(
  work: (subject: ServiceUnderTest) => Promise<void>,
  { profile = {}, settings: changes = {}, variables = {}, around, models = application.models, flush = false }: ServiceOptions = {},
): Promise<void> {
  await withDatabase(async database => {
    const { host, port } = database.connectionSettings
    const proxy = await startProxy({ target: { host, port } })
    const settings = databaseSettings.parse({
      ...environmentFor(database),
      DB_PORT: String(proxy.port),
      DB_CA_CERT: proxy.authority,
      ...variables,
    }).value
    if (!settings) throw new Error('the settings of the test are wrong')
    const lines: Record<string, unknown>[] = []
    const logger = createLogger({
      name: 'test',
      level: 'debug',
      destination: { write: text => void lines.push(JSON.parse(text) as Record<string, unknown>) },
    })
    const counters = createCounters()
    let offsetMs = 0
    const { manager, service } = openDatabase({
      settings: { ...settings, ...changes, profile: { ...settings.profile, ...profile } },
      applicationName: 'subject',
      models,
      logger,
      counters,
      ...(flush
        ? {
            behindCommit: new CounterFlush({ counters, functionName: 'subject', schema: settings.schema, logger, now: () => Date.now() + offsetMs })
              .send,
          }
        : {}),
      now: () => Date.now() + offsetMs,
      random: () => 0.5,
      ...(around ? { around } : {}),
    })
    try {
      await work({
        database,
        proxy,
        manager,
        service,
        lines,
        passTime: ms => void (offsetMs += ms),
        sessions: async () =>
          (await database.query("SELECT 1 FROM pg_stat_activity WHERE application_name = 'subject' AND datname = current_database()")).length,
      })
    } finally {
      await manager.gracefulShutdown()
      await proxy.stop()
    }
  })
}

/** A second service on a manager, with policies of its own. */
export function serviceWith({ manager, ...policies }: ExecutorOptions): DatabaseService {
  const executor = new Executor({ manager, ...policies })
  return new DatabaseService({ executor, counters: createCounters(), schema: 'public', loaded: () => loadedOf(manager) })
}

/** The model of users of the tests' application, whose type is not declared. */
export function usersOf(models: ApplicationModels): Models['User'] {
  return (models as unknown as Models).User
}

/** Sequelize and the models of a manager that has built a pool. */
export function loadedOf({ generation }: PoolManager): { sequelize: Sequelize; models: ApplicationModels } {
  if (generation === undefined) throw new Error('the pool of the test is not built yet')
  return { sequelize: generation.sequelize, models: generation.sequelize.models as unknown as ApplicationModels }
}
