import { AsyncLocalStorage } from 'node:async_hooks'
import type { Deadline } from '../../../invocation/src/deadline.ts'
import { defer } from '../../../invocation/src/deferred.ts'
import { untilAborted } from '../../../invocation/src/wait.ts'
import type { GuardedClient, Send, StatementGuard, Sync } from '../wire/guarded-client.ts'
import type { Statement } from '../wire/pg-internals.ts'
import { limitSettings, SERVER_EARLIER_MS, settingsStatement } from '../wire/limits.ts'
import { throwIfPortalIsOpen } from './open-portal.ts'

/** A stretch of a transaction that may fail without the rest of it. */
export interface Savepoint {
  /**
   * Ends it: keeps what was done in it, or takes that back. Resolves when the server has answered; when it does not
   * within `timeoutMs` the connection is dropped. `statementMs` is the time limit of statements from there on.
   */
  end(outcome: 'keep' | 'take-back', times: { timeoutMs: number; statementMs: number }): Promise<void>
  run<Result>(body: () => Promise<Result>): Promise<Result>
}

const inside = new AsyncLocalStorage<SavepointGuard>()

let savepoints = 0

/**
 * Opens a savepoint on the connection of a running transaction. Statements from outside of it wait until it has ended,
 * or they would be taken back with it. Nothing is sent before its first statement; that one carries the savepoint and
 * a time limit that the server itself keeps.
 */
export async function openSavepoint(client: GuardedClient, deadline: Deadline): Promise<Savepoint> {
  const { root } = client.guard ?? {}
  for (let gate = client.guard?.gate?.(); gate !== undefined; gate = client.guard?.gate?.()) await untilAborted(gate, deadline.signal)
  const parent = client.guard
  // Whoever had to wait may find another's transaction on the connection.
  if (parent === undefined || parent.root !== root) throw new Error('a savepoint was asked for outside of a transaction')
  savepoints += 1
  const guard = new SavepointGuard({ client, parent, name: `safe_${savepoints}`, deadline })
  client.guard = guard
  return guard
}

class SavepointGuard implements StatementGuard, Savepoint {
  readonly #client: GuardedClient
  readonly #parent: StatementGuard
  readonly #name: string
  readonly #deadline: Deadline
  readonly #ended = defer<void>()
  #sent = false
  /** What the server was told last of how long a statement may take, in ms. */
  #boundMs = 0
  #spoiled = false
  /** The longest time for a statement that the transaction around it had, in ms. */
  #outerBoundMs: number | undefined
  /** Errors of statements that the savepoint itself sent, in their order. */
  readonly #ownErrors: { error: unknown; expired: boolean }[] = []

  constructor({ client, parent, name, deadline }: { client: GuardedClient; parent: StatementGuard; name: string; deadline: Deadline }) {
    this.#client = client
    this.#parent = parent
    this.#name = name
    this.#deadline = deadline
  }

  gate(): Promise<void> | undefined {
    return isInside(this) ? this.#parent.gate?.() : this.#ended.promise
  }

  around(client: GuardedClient, send: Send, statement: Statement | undefined): void {
    const within: Send = timeoutMs => {
      const leftMs = this.#deadline.remainingMs()
      // Another savepoint within this one has a limit of its own.
      const follows = client.guard === this && this.#boundMs - leftMs > SERVER_EARLIER_MS
      if (!this.#sent || follows) {
        // The budget is all the server's: who asked has gone by then, but the transaction around it has not.
        const opening = this.#sent ? [] : [`SAVEPOINT ${this.#name}`]
        const onError = this.#noteOwn()
        if (!this.#sent) this.#outerBoundMs = this.root.boundMs
        const words = [...opening, ...this.#bound(leftMs + SERVER_EARLIER_MS)]
        this.#sent = true
        this.#boundMs = leftMs
        if (words.length > 0) client.sendRaw(words.join('; '), undefined, { onError }).catch(unheard)
      }
      send(timeoutMs)
    }
    this.#parent.around(client, within, statement)
  }

  get root(): StatementGuard {
    return this.#parent.root
  }

  trailing(): Promise<void> | undefined {
    return this.#parent.trailing?.()
  }

  // A failure inside is no failure of the transaction around it.
  failed(): void {
    this.#spoiled = true
  }

  ended(error: Error): void {
    this.#parent.ended?.(error)
  }

  synced(sync: Sync): void {
    if (sync.before === 'E' && sync.status === 'T') this.#spoiled = false
    this.#parent.synced?.(sync)
  }

  get spoiled(): boolean {
    return this.#spoiled
  }

  run<Result>(body: () => Promise<Result>): Promise<Result> {
    return inside.run(this, body)
  }

  async end(outcome: 'keep' | 'take-back', { timeoutMs, statementMs }: { timeoutMs: number; statementMs: number }): Promise<void> {
    try {
      if (!this.#sent) return
      if (!this.#client.pipeline) this.#refuseOpenPortal()
      if (outcome === 'keep') await this.#keep(statementMs, timeoutMs)
      else await this.#takeBack(timeoutMs)
    } finally {
      if (this.#client.guard === this) this.#client.guard = this.#parent
      this.#ended.resolve()
    }
  }

  #refuseOpenPortal(): void {
    try {
      throwIfPortalIsOpen(this.#client)
    } catch (error) {
      this.root.ended?.(error as Error)
      throw error
    }
  }

  // A limit that the work has set stands.
  #bound(boundMs: number): string[] {
    if (this.root.keepsOwnTimeout === true) return []
    const bound = settingsStatement(limitSettings(boundMs, undefined), this.root.sessionLimits ?? this.#client.sessionLimits)
    this.root.boundMs = boundMs
    return bound === '' ? [] : [bound]
  }

  /** Returns a function that records the error of a statement that the savepoint itself sends now. */
  #noteOwn(): (error: unknown) => void {
    const expiry = this.root.expiry?.() ?? Number.POSITIVE_INFINITY
    return error => void this.#ownErrors.push({ error, expired: performance.now() >= expiry })
  }

  #send(
    words: readonly string[],
    { timeoutMs, onError = this.#noteOwn() }: { timeoutMs: number; onError?: (error: unknown) => void },
  ): Promise<unknown> {
    return this.#client.sendRaw(words.join('; '), undefined, { timeoutMs, onError })
  }

  // What cannot be kept is rolled back, because it would make the transaction fail. The limit comes before the release: if the
  // server stops it, the savepoint is still there.
  async #keep(statementMs: number, timeoutMs: number): Promise<void> {
    // The limit in force is that of the savepoint.
    const onError = this.#noteOwn()
    const words = [...this.#bound(statementMs), `RELEASE SAVEPOINT ${this.#name}`]
    await this.#send(words, { timeoutMs, onError }).catch(async (reason: unknown) => {
      await this.#takeBack(timeoutMs)
      throw reason
    })
  }

  // Restores the time limit as well. If it fails, the transaction has failed, and the first own error is the reason.
  async #takeBack(timeoutMs: number): Promise<void> {
    try {
      await this.#send([`ROLLBACK TO SAVEPOINT ${this.#name}`, `RELEASE SAVEPOINT ${this.#name}`], { timeoutMs })
    } catch (error) {
      for (const { error: own, expired } of this.#ownErrors) this.#parent.failed?.(own, 'own', expired)
      throw error
    }
    if (this.#outerBoundMs !== undefined) this.root.boundMs = this.#outerBoundMs
  }
}

function isInside(guard: StatementGuard): boolean {
  return inside.getStore() === guard
}

const unheard = () => undefined
