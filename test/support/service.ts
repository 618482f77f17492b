import { databaseSettings, type DatabaseSettings } from '../../lib/config/settings/database.ts'
import type { Profile } from '../../lib/resilient-sequelize/src/pool/profile.ts'
import type { buildGeneration } from '../../lib/resilient-sequelize/src/pool/generation.ts'
import { CounterFlush } from '../../lib/database/counter-flush.ts'
import { DatabaseManager } from '../../lib/resilient-sequelize/src/pool/manager.ts'
import { DatabaseService } from '../../lib/resilient-sequelize/src/operation/service.ts'
import { createCounters } from '../../lib/telemetry/counters.ts'
import { createLogger } from '../../lib/telemetry/logger.ts'
import { withDatabase, type TestDatabase } from './database.ts'
import { environmentFor } from './functions.ts'
import { startProxy, type Proxy } from '../../lib/postgres-faults/src/proxy/proxy.ts'

/** A service under test, on a database of its own behind a proxy that counts and goes wrong on command. */
export interface ServiceUnderTest {
  database: TestDatabase
  proxy: Proxy
  manager: DatabaseManager
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
  build?: typeof buildGeneration
  /** Adds what is counted to the fleet's counters, as functions do. */
  flush?: boolean
}

/** Runs a test with a service; dropping its database afterwards proves that it left no session behind. */
export async function withService(
  work: (subject: ServiceUnderTest) => Promise<void>,
  { profile = {}, settings: changes = {}, variables = {}, build, flush = false }: ServiceOptions = {},
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
    const manager = new DatabaseManager({
      settings: { ...settings, ...changes, profile: { ...settings.profile, ...profile } },
      applicationName: 'subject',
      logger,
      counters,
      ...(flush ? { behindCommit: new CounterFlush({ counters, functionName: 'subject', logger, now: () => Date.now() + offsetMs }).send } : {}),
      now: () => Date.now() + offsetMs,
      ...(build ? { build } : {}),
    })
    try {
      await work({
        database,
        proxy,
        manager,
        service: new DatabaseService({ manager, logger, counters, random: () => 0.5 }),
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
