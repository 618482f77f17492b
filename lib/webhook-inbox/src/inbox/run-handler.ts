import type { Work } from '../../../functions-runtime/src/database/service.ts'
import type { Logger } from '../../../functions-runtime/src/telemetry/logger.ts'
import type { AlertReceiver } from './alert.ts'
import type { ReadDelivery } from './delivery.ts'
import type { BareHandler, BareWork, Effect, WebhookEvent } from './handler.ts'

export interface HandlerTools {
  readonly logger: Logger
  /** Who hears of alerts. */
  readonly alerts?: AlertReceiver | undefined
}

/** Runs the handler of an event in the transaction that marks it; resolves to what it tells, if anything. */
export async function runHandler({ handler, event }: ReadDelivery, work: Work, tools: HandlerTools): Promise<Effect | undefined> {
  if (handler === undefined) return undefined
  if (handler.needsDatabase) return effectOf(await handler.apply(event, Object.assign(Object.create(work) as Work, bareTools(tools))))
  return runBareHandler({ handler, event }, { signal: work.signal, afterCommit: work.afterCommit, ...bareTools(tools) })
}

/** Runs a handler that needs no database. */
export async function runBareHandler({ handler, event }: { handler: BareHandler; event: WebhookEvent }, work: BareWork): Promise<Effect | undefined> {
  return effectOf(await handler.apply(event, work))
}

// `return later(…)` in place of `throw` would mark the event as applied.
function effectOf(returned: unknown): Effect | undefined {
  if (returned instanceof Error) throw returned
  return isEffect(returned) ? returned : undefined
}

// By its keys, for a row that a handler happens to return may have a `userId` among others, which is no user of this table.
function isEffect(returned: unknown): returned is Effect {
  if (typeof returned !== 'object' || returned === null || Object.getPrototypeOf(returned) !== Object.prototype) return false
  const keys = Object.keys(returned)
  return keys.length > 0 && keys.every(key => key === 'userId' || key === 'erased')
}

/** What every handler gets beside its transaction. */
export function bareTools({ logger, alerts }: HandlerTools): Pick<BareWork, 'logger' | 'alert'> {
  return { logger, alert: async alert => alerts?.passOn(alert, { logger }) }
}
