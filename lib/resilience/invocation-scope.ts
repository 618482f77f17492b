import { AsyncLocalStorage } from 'node:async_hooks'

/** What one invocation still holds when it is answered. */
class InvocationScope {
  readonly #held = new Set<() => void>()

  hold(letGo: () => void): () => void {
    this.#held.add(letGo)
    return () => {
      this.#held.delete(letGo)
    }
  }

  end(): void {
    for (const letGo of this.#held) letGo()
    this.#held.clear()
  }
}

const storage = new AsyncLocalStorage<InvocationScope>()

/**
 * Runs one invocation. When it ends, whatever it still holds is let go at once: the container may be paused right
 * after the answer, and must not keep a lock on the server meanwhile. Other invocations in the same process keep theirs.
 */
export async function runInvocation<Result>(invocation: () => Promise<Result>): Promise<Result> {
  const scope = new InvocationScope()
  try {
    return await storage.run(scope, invocation)
  } finally {
    scope.end()
  }
}

/** Has `letGo` called if the running invocation ends before the returned function is called. */
export function holdForInvocation(letGo: () => void): () => void {
  return storage.getStore()?.hold(letGo) ?? (() => undefined)
}
