import type { AlertReport, Alerts } from '../alerts/alerts.ts'
import type { AlertMemory } from '../alerts/memory.ts'
import { post } from '../alerts/post.ts'
import type { AlertThresholds } from '../settings/thresholds.ts'
import type { ScheduleSettings } from '../settings/health.ts'
import { safeExecute } from '../../../resilient-sequelize/src/operation/safe-execute.ts'
import type { DatabaseService } from '../../../functions-runtime/src/database/service.ts'
import type { Deadline } from '../../../invocation/src/deadline.ts'
import type { Counters } from '../../../functions-runtime/src/telemetry/counters.ts'
import type { Logger } from '../../../functions-runtime/src/telemetry/logger.ts'
import { statusOf, type Check } from './check.ts'
import { findings } from './findings.ts'
import type { Look } from './look.ts'
import { recordCheck } from './record-check.ts'
import { lookAtWatches, type Watch } from './watch.ts'

export interface ScheduledCheckOptions {
  /** A look made for this check. */
  look: Look
  checks: readonly Check[]
  /** `undefined` where its settings are not usable. */
  database: Pick<DatabaseService, 'execute'> | undefined
  schedule: ScheduleSettings
  thresholds: AlertThresholds
  alerts: Alerts
  memory: Required<AlertMemory>
  watches: readonly Watch[]
  deadline: Deadline
  logger: Logger
  counters: Counters
}

/** What a scheduled check came to. */
export interface ScheduledReport {
  readonly status: 'pass' | 'warn' | 'fail'
  /** Whether its row was written. */
  readonly recorded: boolean
  readonly alerts: AlertReport
  /** Whether whoever waits for the schedule was told; null where nobody does. */
  readonly heartbeat: boolean | null
}

const RECORD_MS = 2_500
const HEARTBEAT_MS = 2_000

/**
 * Records a look, compares it with the last, decides on alerts, and tells whoever waits for the schedule that it still
 * runs. Every part is bounded, and one that fails keeps none of the others from being done; never rejects.
 */
export async function scheduledCheck(options: ScheduledCheckOptions): Promise<ScheduledReport> {
  const { look, checks, database, schedule, thresholds, watches, alerts, memory, deadline, logger, counters } = options
  const tools = { logger, counters }
  const status = statusOf(checks)
  const answered = look.database !== undefined && 'seen' in look.database
  const recorded =
    database === undefined || !answered
      ? undefined
      : await safeExecute(
          () => recordCheck(checks, { database, everyMs: schedule.everyMs }),
          { operationName: 'health.record', fallbackValue: undefined, budgetMs: Math.min(RECORD_MS, deadline.remainingMs() / 3) },
          tools,
        )
  if (recorded?.last !== undefined && recorded.last.status !== status) {
    logger.warn({ event: 'health.changed', from: recorded.last.status, to: status, lastAgeMs: Math.round(recorded.last.ageMs) })
  }
  const fails = checks.some(check => check.name === 'database:responseTime' && check.status === 'fail')
  const beating = beat(schedule.heartbeatUrl, tools)
  const databaseFailures = await safeExecute(
    () => memory.strike('database-unavailable', fails),
    { operationName: 'alerts.strike', fallbackValue: fails ? 1 : 0, budgetMs: deadline.remainingMs() / 4 },
    tools,
  )
  const watched = await lookAtWatches(watches, { database: answered ? database : undefined, deadline, logger, counters })
  const found = [...findings({ look, databaseFailures, counted: recorded?.counted, inbox: recorded?.inbox }, thresholds), ...watched]
  return { status, recorded: recorded !== undefined, alerts: await alerts.judge(found, deadline), heartbeat: await beating }
}

/** A dead man's switch: whoever is called expects the next call, and raises the alarm when it does not come. */
async function beat(url: string | undefined, tools: { logger: Logger; counters: Counters }): Promise<boolean | null> {
  if (url === undefined) return null
  return safeExecute(
    async () => {
      await post({ url, method: 'GET' }, AbortSignal.timeout(HEARTBEAT_MS))
      return true
    },
    { operationName: 'health.heartbeat', fallbackValue: false, budgetMs: HEARTBEAT_MS },
    tools,
  )
}
