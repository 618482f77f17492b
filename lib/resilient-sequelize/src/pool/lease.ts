import type { Deadline } from '../../../invocation/src/deadline.ts'
import { holdForInvocation } from '../../../invocation/src/invocation-scope.ts'
import type { GuardedClient } from '../wire/guarded-client.ts'
import type { Generation } from './generation.ts'

/** A connection that somebody uses, and the generation that it comes from. It is given back once, one way or the other. */
export interface Lease {
  readonly generation: Generation
  readonly connection: GuardedClient
  /** Whether others of this process had all connections when it was asked for. */
  readonly queued: boolean
  /** Back to the pool, for the next to use. */
  release(): void
  /** Dropped at once: nobody uses it again, and the server sees its session end. */
  destroy(): void
}

/** A connection whose last answer is this old has to prove that it is alive. */
export const REVALIDATE_AFTER_MS = 5_000
const LOOK_MS = 1_500
const LOOK_SHARE = 0.25

/** Wraps a connection just taken from the pool. If the invocation ends before it is given back, it is dropped. */
export function leaseOf(generation: Generation, connection: GuardedClient, queued = false): Lease {
  let givenBack = false
  const once = (give: () => void) => () => {
    if (givenBack) return
    givenBack = true
    letGo()
    connection.guard = undefined
    connection.pipeline = true
    give()
  }
  const destroy = once(() => generation.destroy(connection))
  const letGo = holdForInvocation(destroy)
  return { generation, connection, queued, destroy, release: once(() => generation.release(connection)) }
}

/**
 * Whether a connection may be used as it is: it has answered lately by the wall clock, which goes on while the container
 * is paused. An answer that seems to lie in the future tells that the clock was set back, and nothing else.
 */
export function isFresh(connection: GuardedClient, now: number): boolean {
  const ageMs = now - connection.lastAnswerAt
  return ageMs >= 0 && ageMs < REVALIDATE_AFTER_MS
}

/** How long to wait for a sign of life, in ms: a silent network is to cost little of the time left. */
export function lookMs(deadline: Deadline): number {
  return Math.max(1, Math.min(LOOK_MS, deadline.remainingMs() * LOOK_SHARE))
}

/** Asks the server for a sign of life. */
export async function isAlive(connection: GuardedClient, deadline: Deadline): Promise<boolean> {
  return connection.sendRaw('SELECT 1', undefined, { timeoutMs: lookMs(deadline) }).then(
    () => true,
    () => false,
  )
}
