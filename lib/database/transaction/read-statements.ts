import type { Deadline } from '../../resilience/deadline.ts'
import type { GuardedClient, StatementGuard } from '../client.ts'
import { boundStatement } from './managed-transaction.ts'

const unheard = () => undefined

/**
 * Reads: each statement travels with its own read-only transaction around it, all in one flight, so that it costs one
 * trip and the server itself refuses a write, through a pooler as well.
 */
export class ReadStatements implements StatementGuard {
  readonly #deadline: Deadline
  readonly #statementMs: () => number
  #firstError: unknown

  constructor({ deadline, statementMs }: { deadline: Deadline; statementMs: () => number }) {
    this.#deadline = deadline
    this.#statementMs = statementMs
  }

  get firstError(): unknown {
    return this.#firstError
  }

  around(client: GuardedClient, send: (timeoutMs: number) => void): void {
    this.#deadline.throwIfPassed()
    const boundMs = this.#statementMs()
    // What fails before or behind the statement fails the statement too, and that error is the one to report.
    client.sendRaw(`START TRANSACTION READ ONLY; ${boundStatement(boundMs)}`).catch(unheard)
    send(boundMs)
    client.sendRaw('COMMIT').catch(unheard)
  }

  failed(error: unknown): void {
    this.#firstError ??= error
  }
}
