import type { Work } from '../database/service.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { ReadDelivery } from './delivery.ts'
import type { Effect } from './handler.ts'

/** Runs the handler of an event in the transaction that marks it; resolves to what it tells, if anything. */
export async function runHandler({ handler, event }: ReadDelivery, work: Work, logger: Logger): Promise<Effect | void> {
  if (handler === undefined) return undefined
  if (handler.needsDatabase) return handler.apply(event, Object.assign(Object.create(work) as Work, { logger }))
  return handler.apply(event, { signal: work.signal, afterCommit: work.afterCommit, logger })
}
