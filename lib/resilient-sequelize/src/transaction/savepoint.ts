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
        const words = [...(this.#sent ? [] : [`SAVEPOINT ${this.#name}`]), ...this.#bound(leftMs + SERVER_EARLIER_MS)]
        const opens = !this.#sent
        const expiry = this.#expiry()
        // Where it could not be opened there is nothing to go back to.
        const onError = (error: unknown) => opens && this.#parent.failed?.(error, 'savepoint', performance.now() >= expiry)
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
    const words = {
      // Taking back to the savepoint takes the time limit back as well; keeping has to set it anew.
      keep: [`RELEASE SAVEPOINT ${this.#name}`, ...this.#bound(statementMs)].join('; '),
      'take-back': `ROLLBACK TO SAVEPOINT ${this.#name}; RELEASE SAVEPOINT ${this.#name}`,
    }
    try {
      if (!this.#sent) return
      if (!this.#client.pipeline) this.#refuseOpenPortal()
      if (outcome === 'keep') await this.#send(words.keep, timeoutMs).catch((error: Error) => this.#giveUp(words['take-back'], timeoutMs, error))
      else await this.#giveUp(words['take-back'], timeoutMs)
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
    this.root.noteBound?.(boundMs)
    const bound =
      this.root.keepsOwnTimeout === true
        ? ''
        : settingsStatement(limitSettings(boundMs, undefined), this.root.sessionLimits ?? this.#client.sessionLimits)
    return bound === '' ? [] : [bound]
  }

  #expiry(): number {
    return this.root.expiry?.() ?? Number.POSITIVE_INFINITY
  }

  #send(words: string, timeoutMs: number): Promise<unknown> {
    return this.#client.sendRaw(words, undefined, { timeoutMs })
  }

  // What cannot be kept has to be taken back, or it would spoil the transaction around it. When even that is not answered
  // the connection is gone, and the transaction with it.
  async #giveUp(takeBack: string, timeoutMs: number, reason?: Error): Promise<void> {
    const expiry = this.#expiry()
    await this.#send(takeBack, timeoutMs).catch((error: unknown) => {
      this.#parent.failed?.(error, 'savepoint', performance.now() >= expiry)
      throw error
    })
    if (reason !== undefined) throw reason
  }
}

function isInside(guard: StatementGuard): boolean {
  return inside.getStore() === guard
}

const unheard = () => undefined
