import { alertSettings } from '../../../functions-ops/src/settings/alerts.ts'
import { bufferSettings } from '../../../webhook-inbox/src/settings/buffer.ts'
import { databaseSettings } from '../../../functions-runtime/src/database/settings.ts'
import { healthKeySettings, scheduleSettings } from '../../../functions-ops/src/settings/health.ts'
import { logSettings } from '../../../functions-runtime/src/settings/log.ts'
import { thresholdSettings } from '../../../functions-ops/src/settings/thresholds.ts'
import { readSettings, settled } from '../../../functions-runtime/src/settings/settings.ts'
import type { Reply } from '../../../functions-runtime/src/edge/reply.ts'
import type { Watch } from '../../../functions-ops/src/health/watch.ts'
import { application } from '../../src/application.ts'
import { prepareHealth, type Health } from '../../../functions-ops/src/health/health.ts'
import type { ScheduledReport } from '../../../functions-ops/src/health/scheduled-check.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { createLogger, type Logger } from '../../../functions-runtime/src/telemetry/logger.ts'
import { withDatabase, type TestDatabase } from './database.ts'
import { environmentFor } from './functions.ts'
import { startProxy, type Proxy } from '../../../postgres-faults/src/proxy/proxy.ts'

export const healthKey = 'health_for-the-tests-only-0123456789'
/** The headers of somebody who may see details. */
export const knowing = { authorization: `Bearer ${healthKey}` }

/** Containers of `api/health` on a database of their own, behind a proxy that goes wrong on command. */
export interface HealthUnderTest {
  readonly database: TestDatabase
  readonly proxy: Proxy
  /** Another container. */
  container(variables?: Readonly<Record<string, string>>): Health
  /** Everything that was logged. */
  readonly lines: Record<string, unknown>[]
}

/** One container of `api/health` in this process. */
export function startHealth(
  environment: Readonly<Record<string, string>>,
  logger: Logger = createLogger({ name: 'test', level: 'silent' }),
  watches: readonly Watch[] = [],
): Health {
  const groups = {
    database: settled(databaseSettings),
    buffer: settled(bufferSettings),
    keys: settled(healthKeySettings),
    schedule: settled(scheduleSettings),
    alerts: settled(alertSettings),
    thresholds: settled(thresholdSettings),
    log: settled(logSettings),
  }
  const defaults = readSettings({ schedule: scheduleSettings, thresholds: thresholdSettings }, {})
  const settings = readSettings(groups, { HEALTH_KEY: healthKey, ...environment })
  return prepareHealth(settings, {
    name: 'api/health',
    logger,
    timeLimitMs: 10_000,
    migrations: application.migrations.map(one => one.name),
    counters: application.counters,
    endpoints: { database: ['/user'], buffer: [] },
    watches,
    defaults,
  })
}

/** Runs a test with containers; nothing of the environment is touched, so that tests can run at the same time. */
export async function withHealth(
  work: (subject: HealthUnderTest) => Promise<void>,
  { variables = {}, empty = false, watches = [] }: { variables?: Readonly<Record<string, string>>; empty?: boolean; watches?: readonly Watch[] } = {},
): Promise<void> {
  await withDatabase(
    async database => {
      const { host, port } = database.connectionSettings
      const proxy = await startProxy({ target: { host, port } })
      const lines: Record<string, unknown>[] = []
      const destination = { write: (text: string) => void lines.push(JSON.parse(text) as Record<string, unknown>) }
      const logger = createLogger({ name: 'test', level: 'debug', destination })
      const started: Health[] = []
      const container: HealthUnderTest['container'] = (more = {}) => {
        const behind = { DB_PORT: String(proxy.port), DB_CA_CERT: proxy.authority }
        const health = startHealth({ ...environmentFor(database), ...behind, ...variables, ...more }, logger, watches)
        started.push(health)
        return health
      }
      try {
        await work({ database, proxy, container, lines })
      } finally {
        await Promise.all(started.map(health => health.shutdown()))
        await proxy.stop()
      }
    },
    { empty },
  )
}

/** One run of the schedule, within the time that the function has. */
export async function runSchedule(health: Health, remainingMs = 9_000): Promise<ScheduledReport> {
  const deadline = openDeadline({ remainingMs, reserveMs: 0 })
  return health.check(deadline).finally(() => deadline.clear())
}

export interface Observation {
  status: string
  observedValue?: unknown
  output?: string
  affectedEndpoints?: string[]
  time: string
}

/** What a detailed answer says, by name. */
export function observations({ body }: Reply): Record<string, Observation> {
  const { checks = {} } = body as { checks?: Record<string, Observation[]> }
  return Object.fromEntries(Object.entries(checks).map(([name, [first]]) => [name, first ?? { status: 'missing', time: '' }]))
}
