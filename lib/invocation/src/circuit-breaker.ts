/** What the breaker does with the next operation; `epoch` says under which state it was admitted. */
export type Admission =
  { readonly admitted: true; readonly epoch: number; readonly probe: boolean } | { readonly admitted: false; readonly retryAfterMs: number }

export type BreakerState =
  | { readonly kind: 'closed'; readonly epoch: number; readonly outages: number }
  | { readonly kind: 'open'; readonly epoch: number; readonly until: number }
  | { readonly kind: 'probing'; readonly epoch: number; readonly until: number }

export interface CircuitBreakerOptions {
  /** So many operations in a row that ended in an outage open the breaker. */
  threshold: number
  /** How long it stays open before one operation may probe, in ms. */
  cooldownMs: number
  now?: () => number
  onChange?: (kind: BreakerState['kind']) => void
}

export interface CircuitBreaker {
  admit(): Admission
  /** The database answered, whatever it said. */
  settleAnswered(epoch: number): void
  /** The operation ended because the database could not be reached. */
  settleOutage(epoch: number): void
  /** The operation ended in a way that says nothing about the database; a probe makes room for another. */
  settleUnknown(epoch: number): void
  /** Something outside proved the database alive. */
  close(): void
  readonly state: BreakerState
}

/**
 * Keeps callers from waiting for a database that is away. Counts operations, not attempts. While it is open nobody
 * is admitted; after the cooldown one operation probes and decides. An answer that comes late counts only for the
 * state under which its operation was admitted (M. Nygard, "Release It!", circuit breaker).
 */
export function createCircuitBreaker({ threshold, cooldownMs, now = Date.now, onChange = () => undefined }: CircuitBreakerOptions): CircuitBreaker {
  let state: BreakerState = { kind: 'closed', epoch: 0, outages: 0 }

  function become(next: BreakerState): void {
    const changed = next.kind !== state.kind
    state = next
    if (changed) onChange(next.kind)
  }

  return {
    admit() {
      switch (state.kind) {
        case 'closed':
          return { admitted: true, epoch: state.epoch, probe: false }
        case 'open':
        case 'probing': {
          // The clock was set back: the wait begins anew, or it would last until the clock has caught up.
          if (state.until - now() > cooldownMs) state = { ...state, until: now() + cooldownMs }
          const retryAfterMs = state.until - now()
          if (retryAfterMs > 0) return { admitted: false, retryAfterMs }
          // A probe that never came back, as in a container that was paused for good, is given up after a cooldown.
          const epoch = state.epoch + 1
          become({ kind: 'probing', epoch, until: now() + cooldownMs })
          return { admitted: true, epoch, probe: true }
        }
        default:
          return state satisfies never
      }
    },
    settleAnswered(epoch) {
      if (epoch !== state.epoch) return
      if (state.kind !== 'closed' || state.outages > 0) become({ kind: 'closed', epoch: state.kind === 'closed' ? epoch : epoch + 1, outages: 0 })
    },
    settleOutage(epoch) {
      if (epoch !== state.epoch || state.kind === 'open') return
      const outages = state.kind === 'closed' ? state.outages + 1 : threshold
      if (outages < threshold) become({ kind: 'closed', epoch, outages })
      else become({ kind: 'open', epoch: epoch + 1, until: now() + cooldownMs })
    },
    settleUnknown(epoch) {
      if (epoch === state.epoch && state.kind === 'probing') become({ kind: 'open', epoch: epoch + 1, until: now() })
    },
    close() {
      become({ kind: 'closed', epoch: state.epoch + 1, outages: 0 })
    },
    get state() {
      return state
    },
  }
}
