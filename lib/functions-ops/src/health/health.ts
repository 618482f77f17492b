import { prepareAlerts } from '../alerts/prepare.ts'
import type { AlertSettings } from '../settings/alerts.ts'
import type { BufferSettings } from '../../../webhook-inbox/src/settings/buffer.ts'
import type { DatabaseSettings } from '../../../functions-runtime/src/database/settings.ts'
import type { HealthKeys, ScheduleSettings } from '../settings/health.ts'
import type { LogSettings } from '../../../functions-runtime/src/settings/log.ts'
import type { AlertThresholds } from '../settings/thresholds.ts'
import type { Settled } from '../../../functions-runtime/src/settings/settings.ts'
import { prepareDatabase } from '../../../functions-runtime/src/database/connect.ts'
import { DatabaseUnavailableError } from '../../../resilient-sequelize/src/errors/errors.ts'
import type { ConnectionStatus } from '../../../resilient-sequelize/src/pool/manager.ts'
import type { DatabaseService } from '../../../functions-runtime/src/database/service.ts'
import { holdsKey } from '../../../functions-runtime/src/edge/auth.ts'
import type { NamedPool } from '../../../functions-runtime/src/edge/define.ts'
import type { Reply } from '../../../functions-runtime/src/edge/reply.ts'
import { UnauthorizedError } from '../../../functions-runtime/src/edge/http-errors.ts'
import type { Deadline } from '../../../invocation/src/deadline.ts'
import { createCounters, type CounterDescription } from '../../../functions-runtime/src/telemetry/counters.ts'
import type { Logger } from '../../../functions-runtime/src/telemetry/logger.ts'
import { databaseChecks, readyChecks, type ChecksOptions, type Endpoints } from './checks.ts'
import { healthReply } from './health-reply.ts'
import { createHealthDatabase } from './health-database.ts'
import { asked, look, LOOK_MS, type Look } from './look.ts'
import { exposition } from './metrics/exposition.ts'
import { askFleet } from './metrics/fleet.ts'
import { metricFamilies } from './metrics/metrics.ts'
import { askDatabase } from './questions.ts'
import { createRound } from './round.ts'
import { refuseTakenKinds, type Watch } from './watch.ts'
import { scheduledCheck, type ScheduledReport } from './scheduled-check.ts'

/** What it was given to work with; what is wrong is told by it, and nothing more. */
export interface HealthSettings {
  readonly database: Settled<DatabaseSettings>
  readonly buffer: Settled<BufferSettings | undefined>
  readonly keys: Settled<HealthKeys>
  readonly schedule: Settled<ScheduleSettings>
  readonly alerts: Settled<AlertSettings | undefined>
  readonly thresholds: Settled<AlertThresholds>
  readonly log: Settled<LogSettings>
}

export interface HealthTools {
  /** Named as the function; sessions on the server and counters bear it. */
  readonly name: string
  readonly logger: Logger
  readonly timeLimitMs: number
  /** Names of the migrations that the database has to have. */
  readonly migrations: readonly string[]
  /** Counters of all functions. */
  readonly counters: readonly CounterDescription[]
  /** URLs that need the database and the outage buffer; a failing check lists them. */
  readonly endpoints: Endpoints
  /** The application's own figures. Default: none. */
  readonly watches?: readonly Watch[]
  /** The pools of all functions in a long-lived process that serves several. */
  readonly pools?: () => readonly NamedPool[]
  /** Where a setting that has a default is wrong. */
  readonly defaults: { readonly schedule: ScheduleSettings; readonly thresholds: AlertThresholds }
}

type Headers = Readonly<Record<string, string>>

/** Tells how everything is; connects only when it is asked. */
export interface Health {
  alive(): Reply
  ready(headers: Headers): Promise<Reply>
  database(headers: Headers): Promise<Reply>
  /** @throws UnauthorizedError without the health key. */
  metrics(headers: Headers): Promise<Reply>
  /** The round of the schedule. */
  check(deadline: Deadline): Promise<ScheduledReport>
  /** Its own pool, if there is one. */
  pool(): ConnectionStatus | undefined
  shutdown(): Promise<void>
}

// Probes of several watchers share a round; what has changed since shows in time all the same.
const KEPT_MS = 3_000

/**
 * Prepares health for one process. Works with whatever of its settings is usable.
 * @throws TypeError for a watch whose kind is taken.
 */
export function prepareHealth(
  settings: HealthSettings,
  { name, logger, timeLimitMs, migrations, counters: described, endpoints, watches = [], defaults, pools = () => [] }: HealthTools,
): Health {
  refuseTakenKinds(watches)
  const given = settings.database.value
  const prepared = given === undefined ? undefined : prepareDatabase(given, { name, logger, timeLimitMs })
  const own = prepared === undefined || given === undefined ? undefined : createHealthDatabase({ manager: prepared.manager, settings: given, logger })
  const buffer = settings.buffer.value
  const schedule = settings.schedule.value ?? defaults.schedule
  const thresholds = settings.thresholds.value ?? defaults.thresholds
  const counters = prepared?.service.counters ?? createCounters()
  let answers = true
  // Nobody waits for a database that was just seen to be away, and asking it would open the breaker.
  const remembering = prepared === undefined ? undefined : onlyWhile(() => answers, prepared.service)
  const { alerts, memory } = prepareAlerts({ settings: settings.alerts.value, redis: buffer, database: remembering, logger, counters })
  const issues = Object.values<Settled<unknown>>({ ...settings }).flatMap(group => group.issues ?? [])
  const statusNow = () => prepared?.manager.getConnectionStatus()
  const checksOf = (seen: Look): ChecksOptions => ({ look: seen, issues, everyMs: schedule.everyMs, thresholds, endpoints })

  const round = createRound(() => look({ database: own, migrations, buffer }), { keepMs: KEPT_MS })
  const scrape = createRound(
    async () => {
      const [database, { buffer: stand }] = await Promise.all([
        own === undefined
          ? undefined
          : asked(LOOK_MS, signal =>
              own.ask(signal, async client => {
                const [seen, fleet] = await Promise.all([askDatabase(client, { schema: own.schema, migrations }), askFleet(client, own.schema)])
                return { ...seen, fleet }
              }),
            ),
        look({ database: undefined, migrations, buffer }),
      ])
      const longLived = given?.profile.name === 'server'
      return exposition(
        metricFamilies({ database, buffer: stand, bufferLimitBytes: buffer?.maxBytes, status: statusNow(), longLived, described, pools: pools() }),
      )
    },
    { keepMs: KEPT_MS },
  )
  const detailed = (headers: Headers) => holdsKey(headers, settings.keys.value?.digests ?? [])

  return {
    alive: () => healthReply([], { detailed: false }),
    ready: async headers => healthReply(readyChecks(checksOf(await round())), { detailed: detailed(headers) }),
    async database(headers) {
      const seen = await round()
      return healthReply(databaseChecks(checksOf(seen), statusNow()), { detailed: detailed(headers) })
    },
    async metrics(headers) {
      if (!detailed(headers)) {
        throw new UnauthorizedError('key-invalid', 'The health key is needed: Authorization: Bearer <key>.', { 'www-authenticate': 'Bearer' })
      }
      const body = await scrape()
      return { statusCode: 200, headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'cache-control': 'no-store' }, body }
    },
    async check(deadline) {
      const seen = await round({ fresh: true })
      answers = seen.database !== undefined && 'seen' in seen.database
      // What it watches is not whether it runs itself.
      const checks = readyChecks(checksOf(seen)).filter(({ name: check }) => check !== 'schedule:lastRun')
      const database = prepared?.service
      return scheduledCheck({ look: seen, checks, database, schedule, thresholds, watches, alerts, memory, deadline, logger, counters })
    },
    pool: statusNow,
    async shutdown() {
      await own?.shutdown()
    },
  }
}

function onlyWhile(there: () => boolean, service: DatabaseService): Pick<DatabaseService, 'execute'> {
  return {
    async execute(...given) {
      if (!there()) throw new DatabaseUnavailableError({ retryAfterMs: 0 })
      return service.execute(...given)
    },
  }
}
