import { type ErrorFields } from './messages.ts'

/**
 * How a connection is taken from its client: `reset` by RST, `close` by TLS close_notify and FIN, `silence` by nothing
 * at all, for good. Towards the server the first two are a FIN behind everything that was sent before; the third leaves
 * its session open.
 */
export type Cut = 'reset' | 'close' | 'silence'

/** Keeps the message back for so long, and with it everything behind it in the same direction. */
export interface Delay {
  delayMs: number
}

/** Answers with an error instead of the server. */
export interface Refusal {
  error: ErrorFields
}

/** Answers with an error and closes the connection without ReadyForQuery, whatever the severity: PgBouncer up to 1.15 says ERROR. */
export interface HangUp extends Refusal {
  hangsUp: true
}

/**
 * A fault at a statement; how a statement is recognised is told at `StatementReader`.
 *
 * `before`: the server does not get to see it, nor anything behind it. What was sent earlier, in the same flight too,
 * is answered first. An error is raised by the server's own means: in a transaction that transaction is aborted. With
 * `hangsUp` the server sees nothing, as with a cut.
 *
 * `after`: the server has executed it, and everything that was sent up to its Query or Sync message; its answer is
 * swallowed through ReadyForQuery. Answers to earlier statements arrive, those to later ones do not.
 */
export type StatementFault = {
  on: 'statement'
  /** A string is the whole text, apart from case, surrounding blanks and a final semicolon. */
  matches: RegExp | string
} & ({ when: 'before'; action: Cut | Delay | Refusal | HangUp } | { when: 'after'; action: Cut | Delay | HangUp })

/**
 * A fault while a connection is being made: as TCP has accepted it (`accept`), when TLS is through (`tls`; without TLS
 * before the client's first message is read), or in place of the server's request for a password (`startup`).
 */
export type ConnectFault = { on: 'connect' } & ({ when: 'accept' | 'tls'; action: Cut | Delay } | { when: 'startup'; action: Cut | Delay | Refusal })

/** `times` is how many matches the fault applies to, 1 unless told. */
export type Fault = (StatementFault | ConnectFault) & { times?: number }

/** A fault that was added. */
export interface AddedFault {
  /** How often it has taken effect. An `after` matches earlier than it takes effect: when the server has answered. */
  fired(): number
  /** Resolves when it takes effect for the first time; for faults that leave the client waiting. */
  firstFired: Promise<void>
  /** Takes it back; what has matched already still takes effect. */
  remove(): void
}

/** A match of a fault; whoever brings about its effect calls `fire`. */
export interface Match<Kind extends Fault = Fault> {
  fault: Kind
  fire: () => void
}

interface Entry {
  fault: Fault
  left: number
  fire: () => void
}

/** The faults that wait for their moment. The one added first wins. */
export class Faults {
  readonly #entries = new Set<Entry>()

  add(fault: Fault): AddedFault {
    const { promise: firstFired, resolve } = Promise.withResolvers<void>()
    let fired = 0
    const entry: Entry = {
      fault,
      left: fault.times ?? 1,
      fire: () => {
        fired += 1
        resolve()
      },
    }
    this.#entries.add(entry)
    return { fired: () => fired, firstFired, remove: () => void this.#entries.delete(entry) }
  }

  atStatement(statement: string): Match<StatementFault> | undefined {
    return this.#take((fault): fault is StatementFault => fault.on === 'statement' && isMatch(fault.matches, statement))
  }

  atConnect(stage: ConnectFault['when']): Match<ConnectFault> | undefined {
    return this.#take((fault): fault is ConnectFault => fault.on === 'connect' && fault.when === stage)
  }

  #take<Kind extends Fault>(applies: (fault: Fault) => fault is Kind): Match<Kind> | undefined {
    for (const entry of this.#entries) {
      if (!applies(entry.fault)) continue
      entry.left -= 1
      if (entry.left <= 0) this.#entries.delete(entry)
      return { fault: entry.fault, fire: entry.fire }
    }
    return undefined
  }
}

function isMatch(pattern: RegExp | string, statement: string): boolean {
  // search, unlike test, leaves no position behind in an expression with the flag g.
  if (pattern instanceof RegExp) return statement.search(pattern) !== -1
  return plain(pattern) === plain(statement)
}

function plain(statement: string): string {
  return statement.trim().replace(/;$/, '').trimEnd().toLowerCase()
}
