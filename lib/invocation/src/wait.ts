/**
 * Waits `ms`, or rejects with the signal's reason as soon as it aborts; leaves no timer and no listener behind.
 * `idle` lets the process end meanwhile.
 */
export function wait(ms: number, signal?: AbortSignal, { idle = false }: { idle?: boolean } = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(reasonOf(signal))
      return
    }
    const stop = () => {
      clearTimeout(timer)
      if (signal) reject(reasonOf(signal))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    if (idle) timer.unref()
    signal?.addEventListener('abort', stop, { once: true })
  })
}

/** Settles as `work` does, or rejects with the signal's reason if that aborts first; the work itself runs on. */
export function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(reasonOf(signal))
    if (signal.aborted) {
      // Nobody waits for this work any more; its failure must not become an unhandled rejection.
      work.catch(() => undefined)
      stop()
      return
    }
    signal.addEventListener('abort', stop, { once: true })
    const settled = () => signal.removeEventListener('abort', stop)
    work.then(
      result => (settled(), resolve(result)),
      (error: Error) => (settled(), reject(error)),
    )
  })
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted', { cause: signal.reason })
}
