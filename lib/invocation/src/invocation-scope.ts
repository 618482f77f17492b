import { AsyncLocalStorage } from 'node:async_hooks'

/** What one invocation did to the database, for the line that tells of it. */
export interface InvocationFacts {
  /** Tries of operations. */
  attempts: number
  /** Flights of statements to the server; what opens a connection is not among them. */
  trips: number
  /** Of the pool that was used last. */
  generation: number | undefined
  /** What was counted meanwhile. */
  readonly counters: Record<string, number>
}

export function noFacts(): InvocationFacts {
  return { attempts: 0, trips: 0, generation: undefined, counters: {} }
}

export interface InvocationOptions {
  /** Whether errors of the database name the code that called it; it costs a stack for each call. Default: no. */
  readonly marksCalls?: boolean
}

/** What one invocation still holds when it is answered. */
class InvocationScope {
  readonly facts: InvocationFacts
  readonly marksCalls: boolean
  #ended = false
  readonly #held = new Set<() => void>()
  readonly #last = new Map<object, () => Promise<void>>()

  constructor(facts: InvocationFacts, { marksCalls = false }: InvocationOptions) {
    this.facts = facts
    this.marksCalls = marksCalls
  }

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
 * `facts` is filled while it runs.
 */
export async function runInvocation<Result>(invocation: () => Promise<Result>, facts = noFacts(), options: InvocationOptions = {}): Promise<Result> {
  const scope = new InvocationScope(facts, options)
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

/** Takes note of a try of an operation on a pool. */
export function noteAttempt(generation: number): void {
  const facts = storage.getStore()?.facts
  if (facts === undefined) return
  facts.attempts += 1
  facts.generation = generation
}

/** Takes note of a flight of statements. */
export function noteTrip(): void {
  const facts = storage.getStore()?.facts
  if (facts !== undefined) facts.trips += 1
}

/** Takes note of something that was counted. */
export function noteCount(key: string): void {
  const counters = storage.getStore()?.facts.counters
  if (counters !== undefined) counters[key] = (counters[key] ?? 0) + 1
}

/** Returns whether errors of the running invocation name the code that called the database. */
export function marksCalls(): boolean {
  return storage.getStore()?.marksCalls ?? false
}
