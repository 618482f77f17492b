import { CodedError, DeadlineExceededError } from '../../../invocation/src/errors.ts'
import { untilReplay } from '../../../invocation/src/retry.ts'
import { noConnectionError } from './caller-error.ts'
import { describeFailure, retryMessage } from '../pool/connection-log.ts'
import { noteHookError } from '../errors/annotate.ts'
import { classifyError, type Classification } from '../errors/classify-error.ts'
import { DatabaseBusyError } from '../errors/errors.ts'
import { isAlive, isFresh, type Lease } from '../pool/lease.ts'
import type { OperationOptions, OperationTools } from './context.ts'
import type { QueueTime } from './queue-time.ts'

// A database that has not let anybody in for so long is away.
const TELLING_WAIT_MS = 1_500

/**
 * A connection that may be used: one that answered lately, or that was just proven alive; with `unproven` the caller
 * proves it by what it sends first. Until there is one nothing has been sent, so only the deadline bounds the waiting; a
 * full server, or a pool that others of this process use, is a queue in which everybody waits its turn, and `queue` hears
 * how long that took.
 * @throws DatabaseUnavailableError or DatabaseBusyError when there was none in time; DeadlineExceededError when there was
 * no time to begin with.
 */
export async function leaseConnection(
  { deadline, signal, name, prove = false }: OperationOptions,
  { manager, logger, random }: OperationTools,
  { queue, unproven = false }: { queue?: QueueTime; unproven?: boolean } = {},
): Promise<Lease> {
  // No time to try even once says nothing about the database.
  deadline.throwIfPassed()
  // What was met last says more than the clock that ends the waiting.
  let met: { error: unknown; verdict: Classification } | undefined
  const startedAt = performance.now()
  for (let tries = 0; ; tries += 1) {
    try {
      const lease = await manager.acquire(signal)
      const usable = !prove && (unproven || isFresh(lease.connection, manager.now()))
      if (usable || (await isAlive(lease.connection, deadline))) {
        if (lease.queued || met?.verdict.crowded) queue?.add(performance.now() - startedAt)
        return lease
      }
      lease.destroy()
      manager.noteDeadConnection()
    } catch (error) {
      if (error instanceof DatabaseBusyError) throw error
      const verdict = classifyError(error)
      // Too short a wait says nothing about the database.
      if (error instanceof DeadlineExceededError && met === undefined && performance.now() - startedAt < TELLING_WAIT_MS) throw error
      if (error instanceof DeadlineExceededError) throw noConnectionError(met?.error ?? error, met?.verdict ?? verdict)
      if (verdict.key === 'unknown') {
        if (!(error instanceof CodedError)) noteHookError(error)
        throw error
      }
      met = { error, verdict }
      manager.noteFailure(error)
      // A wrong password is an outage to the caller, but no second try will mend it.
      const maxReplays = verdict.transient ? (verdict.maxReplays ?? Number.POSITIVE_INFINITY) : 0
      const onReplay = ({ number, delayMs }: { number: number; delayMs: number }) =>
        logger.info({ event: 'database.connect.retried', operation: name, number, delayMs, ...describeFailure(error) }, retryMessage(number, delayMs))
      if (!(await untilReplay(tries, { deadline, signal, maxReplays, shorten: true, random, onReplay }))) throw noConnectionError(error, verdict)
    }
  }
}
