import type { AlertSettings } from '../settings/alerts.ts'
import { readPlatform } from '../../../functions-runtime/src/settings/platform.ts'
import { safeExecute } from '../../../resilient-sequelize/src/operation/safe-execute.ts'
import type { Deadline } from '../../../invocation/src/deadline.ts'
import type { Counters } from '../../../functions-runtime/src/telemetry/counters.ts'
import type { Logger } from '../../../functions-runtime/src/telemetry/logger.ts'
import { alertOf, isWorthAnAlert, type Alert, type Finding } from './alert.ts'
import type { AlertReceiver, NoticedAlert } from '../../../webhook-inbox/src/inbox/alert.ts'
import { deliverAlert } from './deliver.ts'
import type { AlertMemory } from './memory.ts'

export interface AlertsOptions {
  /** `undefined`: they stand in the log alone. */
  settings: AlertSettings | undefined
  memory: Required<AlertMemory>
  logger: Logger
  counters: Counters
}

/** What became of a look at everything that is watched for. */
export interface AlertReport {
  readonly raised: readonly string[]
  readonly recovered: readonly string[]
  /** Decided, but not delivered: the next look decides again. */
  readonly undelivered: readonly string[]
}

export interface Alerts extends AlertReceiver {
  /** Says what has begun and what is over, once each; silent about what goes on. Never rejects. */
  judge(findings: readonly Finding[], deadline: Deadline): Promise<AlertReport>
  /** Passes on what somebody else noticed, the same code at most once in a quarter of an hour. Never rejects. */
  passOn(alert: NoticedAlert, options: { readonly logger: Logger }): Promise<void>
}

const SILENCE_MS = 15 * 60_000
// Whoever is slower than this is told by the next check, or not at all.
const DELIVER_MS = 2_000
const PASS_ON_MS = 1_000
const NOTHING: AlertReport = { raised: [], recovered: [], undelivered: [] }

/** Decides what is said, to whom, and remembers it. */
export function createAlerts({ settings, memory, logger, counters }: AlertsOptions): Alerts {
  const deliver = async (alert: Alert, budgetMs: number, log: Logger): Promise<boolean> => {
    if (settings === undefined) return true
    const sender = { namespace: readPlatform().namespace }
    return safeExecute(
      async () => {
        await deliverAlert(alert, { settings, sender }, AbortSignal.timeout(Math.max(1, Math.floor(budgetMs))))
        return true
      },
      { operationName: 'alerts.deliver', fallbackValue: false, budgetMs },
      { logger: log, counters },
    )
  }

  return {
    async judge(findings, deadline) {
      const raised = findings.filter(finding => isWorthAnAlert(finding) === true)
      const over = findings.filter(finding => isWorthAnAlert(finding) === false)
      const kindsOf = (some: readonly Finding[]) => some.map(({ kind }) => kind)
      const options = { operationName: 'alerts.settle', fallbackValue: undefined, budgetMs: deadline.remainingMs() / 2 }
      const fresh = await safeExecute(() => memory.settle({ raised: kindsOf(raised), cleared: kindsOf(over) }), options, { logger, counters })
      if (fresh === undefined) return NOTHING
      const alerts = [
        ...raised.filter(({ kind }) => fresh.raised.includes(kind)).map(finding => ({ finding, alert: alertOf(finding, 'raised') })),
        ...over.filter(({ kind }) => fresh.cleared.includes(kind)).map(finding => ({ finding, alert: alertOf(finding, 'recovered') })),
      ]
      const budgetMs = Math.min(DELIVER_MS, deadline.remainingMs() / 2)
      const told = await Promise.all(
        alerts.map(async ({ finding: { kind }, alert }) => {
          const delivered = await deliver(alert, budgetMs, logger)
          logger[alert.state === 'raised' ? 'warn' : 'info']({
            event: `alert.${alert.state}`,
            ...alert,
            delivered: settings !== undefined && delivered,
          })
          return { kind, state: alert.state, delivered }
        }),
      )
      const undelivered = told.filter(({ delivered }) => !delivered)
      if (undelivered.length > 0) await forget(undelivered)
      const kinds = (state: Alert['state']) => told.filter(one => one.state === state && one.delivered).map(({ kind }) => kind)
      return { raised: kinds('raised'), recovered: kinds('recovered'), undelivered: undelivered.map(({ kind }) => kind) }
    },

    async passOn({ code, severity, summary }, { logger: log }) {
      const startedAt = performance.now()
      const tools = { logger: log, counters }
      const options = { operationName: 'alerts.remember', fallbackValue: true, budgetMs: PASS_ON_MS / 2 }
      if (settings === undefined || !(await safeExecute(() => memory.isFirst(code, SILENCE_MS), options, tools))) return
      await deliver({ state: 'raised', code, severity, summary }, PASS_ON_MS - (performance.now() - startedAt), log)
    },
  }

  // As if it had not been decided yet.
  async function forget(undelivered: readonly { kind: string; state: Alert['state'] }[]): Promise<void> {
    const kinds = (state: Alert['state']) => undelivered.filter(one => one.state === state).map(({ kind }) => kind)
    const options = { operationName: 'alerts.forget', fallbackValue: undefined }
    await safeExecute(() => memory.settle({ raised: kinds('recovered'), cleared: kinds('raised') }), options, { logger, counters })
  }
}
