import { AsyncLocalStorage } from 'node:async_hooks'

/** What one invocation still holds when it is answered. */
class InvocationScope {
  #ended = false
  readonly #held = new Set<() => void>()
  readonly #last = new Map<object, () => Promise<void>>()

  // What is taken once the invocation has been answered must not be kept.
  hold(letGo: () => void): () => void {
    if (this.#ended) {
      queueMicrotask(letGo)
      return () => undefined
    }
    this.#held.add(letGo)
    return () => {
      this.#held.delete(letGo)
    }
  }

  beforeEnd(owner: object, task: () => Promise<void>): void {
    this.#last.set(owner, task)
  }

  async tidy(): Promise<void> {
    await Promise.all([...this.#last.values()].map(task => task()))
  }

  end(): void {
    this.#ended = true
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
    await scope.tidy()
    scope.end()
  }
}

/**
 * Has `task` run when the running invocation has come to its answer, before that is given; once for each owner. The task
 * bounds itself and does not reject.
 */
export function beforeInvocationEnds(owner: object, task: () => Promise<void>): void {
  storage.getStore()?.beforeEnd(owner, task)
}

/** Has `letGo` called if the running invocation ends before the returned function is called. */
export function holdForInvocation(letGo: () => void): () => void {
  return storage.getStore()?.hold(letGo) ?? (() => undefined)
}
