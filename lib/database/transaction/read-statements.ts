import { currentDeadline } from '../../resilience/deadline-scope.ts'
import type { Deadline } from '../../resilience/deadline.ts'
import { travelsWithPreamble, type GuardedClient, type Send, type StatementGuard } from '../client.ts'
import { classifyError } from '../errors/classify-error.ts'
import type { Proof } from '../proof.ts'
import { limitStatements, serverBound, startStatement, type TransactionLimits } from './limits.ts'

export interface ReadStatementsOptions {
  deadline: Deadline
  /** Longest wait for the answer to one statement, in ms. */
  statementMs: () => number
  /** On a session that has none of its own. */
  limits: TransactionLimits | undefined
  /** For a connection that has not answered lately. */
  proof?: Proof | undefined
  /** Sends what is to ride behind a COMMIT. */
  behindCommit: (client: GuardedClient) => void
}

const unheard = () => undefined

/**
 * Reads: each statement travels with its own read-only transaction around it, all in one flight, so that it costs one
 * trip and the server itself refuses a write, through a pooler as well.
 */
export class ReadStatements implements StatementGuard {
  readonly #deadline: Deadline
  readonly #statementMs: () => number
  readonly #limits: TransactionLimits | undefined
  readonly #proof: Proof | undefined
  readonly #behindCommit: (client: GuardedClient) => void
  #firstError: unknown
  #spoiledConnection = false
  #sessionEnd: unknown

  constructor({ deadline, statementMs, limits, proof, behindCommit }: ReadStatementsOptions) {
    this.#deadline = deadline
    this.#statementMs = statementMs
    this.#limits = limits
    this.#proof = proof
    this.#behindCommit = behindCommit
  }

  get root(): this {
    return this
  }

  get firstError(): unknown {
    return this.#firstError
  }

  /** Whether a statement met what its connection does not outlive, even if the work has dealt with that. */
  get spoiledConnection(): boolean {
    return this.#spoiledConnection
  }

  /** What ended the session at a transaction's start: the statement behind it only finds the connection gone. */
  get sessionEnd(): unknown {
    return this.#sessionEnd
  }

  around(client: GuardedClient, send: Send, given: readonly unknown[]): void {
    this.#deadline.throwIfPassed()
    // Safe-executed work has less time than the read around it.
    currentDeadline()?.throwIfPassed()
    const boundMs = this.#statementMs()
    // In one message the server makes one transaction of it all, and ends that by itself. Only a connection that has to
    // prove itself has to answer before the statement is done.
    if ((this.#proof === undefined || this.#proof.isAlive) && travelsWithPreamble(given)) {
      send(boundMs, ['SET TRANSACTION READ ONLY', ...limitStatements(serverBound(boundMs), this.#limits)])
      this.#behindCommit(client)
      return
    }
    const start = startStatement('READ ONLY', serverBound(boundMs), this.#limits)
    // What fails before or behind the statement fails the statement too, and that error is the one to report, unless the
    // connection went with what failed before it.
    const started = this.#proof ? this.#proof.send(client, start) : client.sendRaw(start)
    started.catch((error: unknown) => {
      if (classifyError(error).connection === 'drop') this.#sessionEnd ??= error
    })
    send(boundMs)
    client.sendRaw('COMMIT').catch(unheard)
    this.#behindCommit(client)
  }

  failed(error: unknown): void {
    this.#firstError ??= error
    this.#spoiledConnection ||= classifyError(error).connection === 'drop'
  }
}
