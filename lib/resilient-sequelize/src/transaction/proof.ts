import type { QueryResult } from 'pg'
import type { GuardedClient, RawOptions } from '../wire/guarded-client.ts'
import { defer } from '../../../invocation/src/deferred.ts'
import { isRefusal } from '../errors/is-refusal.ts'

/**
 * Proves a connection that has not answered for a while by the work's own first flight. What begins that flight takes the
 * server no time, so it has a short bound of its own: silence shows early, and a slow statement behind it is no silence.
 */
export class Proof {
  readonly #timeoutMs: number
  readonly #found = defer<never>()
  #state: 'unasked' | 'asked' | 'alive' | 'dead' = 'unasked'
  #answered: Promise<void> | undefined

  constructor({ timeoutMs }: { timeoutMs: number }) {
    this.#timeoutMs = timeoutMs
    // Most connections are alive, and then nobody looks at this.
    this.#found.promise.catch(() => undefined)
  }

  /** Rejects, with what was met, when the connection turns out to be dead; else it never settles. */
  get dead(): Promise<never> {
    return this.#found.promise
  }

  get isDead(): boolean {
    return this.#state === 'dead'
  }

  get isAlive(): boolean {
    return this.#state === 'alive'
  }

  /** Resolves when it is known whether the connection is alive, at once if nothing has been sent over it. */
  async settled(): Promise<void> {
    await this.#answered
  }

  /** Sends what begins a flight; the first one is the proof. */
  send(client: GuardedClient, text: string, options: Pick<RawOptions, 'onError'>): Promise<QueryResult | QueryResult[]> {
    if (this.#state !== 'unasked') return client.sendRaw(text, undefined, options)
    this.#state = 'asked'
    const answer = client.sendRaw(text, undefined, { ...options, timeoutMs: this.#timeoutMs })
    this.#answered = answer.then(
      () => void (this.#state = 'alive'),
      (error: unknown) => {
        this.#state = isRefusal(error) ? 'alive' : 'dead'
        if (this.#state === 'alive') return
        // What was sent behind it must not wait any longer.
        client.destroySocket()
        this.#found.reject(error)
      },
    )
    return answer
  }
}
