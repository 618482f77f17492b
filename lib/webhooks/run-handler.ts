import type { Alerts } from '../alerts/alerts.ts'
import type { Work } from '../database/service.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { ReadDelivery } from './delivery.ts'
import type { BareWork, Effect } from './handler.ts'

export interface HandlerTools {
  readonly logger: Logger
  /** Who hears of alerts. */
  readonly alerts?: Pick<Alerts, 'passOn'> | undefined
}

/** Runs the handler of an event in the transaction that marks it; resolves to what it tells, if anything. */
export async function runHandler({ handler, event }: ReadDelivery, work: Work, tools: HandlerTools): Promise<Effect | void> {
  if (handler === undefined) return undefined
  if (handler.needsDatabase) return handler.apply(event, Object.assign(Object.create(work) as Work, bareTools(tools)))
  return handler.apply(event, { signal: work.signal, afterCommit: work.afterCommit, ...bareTools(tools) })
}

/** What every handler gets beside its transaction. */
export function bareTools({ logger, alerts }: HandlerTools): Pick<BareWork, 'logger' | 'alert'> {
  return { logger, alert: async alert => alerts?.passOn(alert, { logger }) }
}
