import type { BackgroundSettings } from './profile.ts'
import { backoffMs } from '../../../invocation/src/backoff.ts'
import { wait as waitFor } from '../../../invocation/src/wait.ts'
import type { Logger } from '../telemetry.ts'
import { retryMessage } from './connection-log.ts'

export interface KeepConnectedOptions extends BackgroundSettings {
  manager: { isConnectionHealthy(): Promise<boolean> }
  logger: Logger
  /** Ends it. */
  signal: AbortSignal
  random?: () => number
  wait?: (ms: number, signal: AbortSignal) => Promise<void>
}

/**
 * Looks after the database of a long-lived process, so that it is back before the next request asks: checks it again
 * and again, and reconnects a lost one with growing delays; that it was lost and is back, its manager tells. Never gives up for good; resolves when `signal` aborts.
 */
export async function keepConnected(options: KeepConnectedOptions): Promise<void> {
  const { checkEveryMs, manager, signal, wait = (ms, until) => waitFor(ms, until, { idle: true }) } = options
  try {
    for (;;) {
      await wait(checkEveryMs, signal)
      if (!(await manager.isConnectionHealthy())) await reconnect({ ...options, wait })
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

async function reconnect({
  attempts,
  firstDelayMs,
  longestDelayMs,
  manager,
  logger,
  signal,
  random = Math.random,
  wait,
}: KeepConnectedOptions & Required<Pick<KeepConnectedOptions, 'wait'>>): Promise<void> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    // Half of the delay is fixed: an attempt at once after a loss meets the same loss.
    const longest = backoffMs(attempt - 1, { firstMs: firstDelayMs, longestMs: longestDelayMs, random: () => 1 })
    const delayMs = Math.round(longest / 2 + (random() * longest) / 2)
    logger.warn({ event: 'database.connection.retried', attempt, delayMs }, retryMessage(attempt, delayMs))
    await wait(delayMs, signal)
    if (await manager.isConnectionHealthy()) return
  }
  logger.error({ event: 'database.connection.resting', attempts }, 'Database connection still lost; resting until the next check')
}
