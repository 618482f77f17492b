import { type Cut, type Delay, type Faults, type HangUp, type Match, type Refusal, type StatementFault } from './faults.ts'
import { brokenStatement, errorResponse, type Message } from './messages.ts'

/** Where a relay's messages go; what is sent to one side keeps its order. */
export interface RelayOptions {
  faults: Pick<Faults, 'atStatement'>
  toServer: (bytes: Buffer, extraMs?: number) => void
  toClient: (bytes: Buffer, extraMs?: number) => void
  /** Takes the connection from the client, behind everything that was sent to either side before. */
  cut: (manner: Cut) => void
}

/** What the client waits for: the answers up to one ReadyForQuery. */
interface Turn {
  /** How many statements of it were sent, and how many the server is through with. */
  executes: number
  completions: number
  /** A fault at its statement number `skip`. */
  fault?: { match: Match<StatementFault>; skip: number; delayed: boolean }
  /** Cut when this turn comes: the earlier ones are answered then. */
  cutNow?: { manner: Cut | HangUp; match: Match<StatementFault> }
}

/** Query, FunctionCall and Sync end a turn; with the messages of the extended protocol one may begin. */
const ENDS_TURN = 'QFS'
const BEGINS_TURN = `${ENDS_TURN}PBDEC`
/** CommandComplete, EmptyQueryResponse, PortalSuspended and ErrorResponse end the answer to an Execute. */
const COMPLETES = 'CIsE'
const READY_FOR_QUERY = 'Z'
const ERROR_RESPONSE = 'E'

/** Passes messages on in both directions from log-in on, and brings about the faults at statements. */
export class Relay {
  readonly #options: RelayOptions
  /** The first of them is log-in. */
  readonly #turns: Turn[] = [{ executes: 0, completions: 0 }]
  /** The last one, while no Query or Sync has ended it. */
  #open: Turn | undefined
  #deaf = false
  #over = false

  constructor(options: RelayOptions) {
    this.#options = options
  }

  fromClient(message: Message, statement: string | undefined): void {
    if (this.#deaf || this.#over) return
    const turn = this.#turnOf(message)
    const match = statement === undefined ? undefined : this.#options.faults.atStatement(statement)
    if (turn && match) this.#begin(turn, match, message)
    else this.#options.toServer(message.bytes)
    if (turn && message.type === 'E') turn.executes += 1
    if (ENDS_TURN.includes(message.type)) this.#open = undefined
  }

  fromServer(message: Message): void {
    if (this.#over) return
    const turn = this.#turns[0]
    const faultReached = turn?.fault && turn.completions >= turn.fault.skip ? turn.fault : undefined
    if (turn && COMPLETES.includes(message.type)) turn.completions += 1
    if (faultReached) this.#answer(faultReached, message)
    else this.#options.toClient(message.bytes)
    if (message.type !== READY_FOR_QUERY) return
    this.#turns.shift()
    this.#cutIfDue()
  }

  #turnOf({ type }: Message): Turn | undefined {
    if (!BEGINS_TURN.includes(type)) return undefined
    if (this.#open === undefined) this.#turns.push((this.#open = { executes: 0, completions: 0 }))
    return this.#open
  }

  #begin(turn: Turn, match: Match<StatementFault>, { type, bytes }: Message): void {
    const { when, action } = match.fault
    const { toServer } = this.#options
    if (when === 'after') {
      turn.fault = { match, skip: turn.executes, delayed: false }
      toServer(bytes)
    } else if (isEnd(action)) {
      this.#deaf = true
      turn.cutNow = { manner: action, match }
      this.#cutIfDue()
    } else if ('error' in action) {
      turn.fault = { match, skip: turn.executes, delayed: false }
      toServer(brokenStatement(type))
    } else {
      match.fire()
      toServer(bytes, action.delayMs)
    }
  }

  #answer(fault: NonNullable<Turn['fault']>, { type, bytes }: Message): void {
    const { action } = fault.match.fault
    const { toClient } = this.#options
    if (isEnd(action)) {
      if (type === READY_FOR_QUERY) this.#cut(action, fault.match)
    } else if ('error' in action) {
      if (type !== ERROR_RESPONSE) return toClient(bytes)
      toClient(errorResponse(action.error))
      if (action.error.severity === 'FATAL') this.#cut('close', fault.match)
      else fault.match.fire()
    } else {
      this.#delay(fault, action, bytes)
    }
  }

  #delay(fault: NonNullable<Turn['fault']>, { delayMs }: Delay, bytes: Buffer): void {
    if (!fault.delayed) fault.match.fire()
    this.#options.toClient(bytes, fault.delayed ? 0 : delayMs)
    fault.delayed = true
  }

  #cutIfDue(): void {
    const due = this.#turns[0]?.cutNow
    if (due) this.#cut(due.manner, due.match)
  }

  #cut(end: Cut | HangUp, match: Match<StatementFault>): void {
    this.#over = true
    match.fire()
    if (typeof end !== 'string') this.#options.toClient(errorResponse(end.error))
    this.#options.cut(typeof end === 'string' ? end : 'close')
  }
}

function isEnd(action: Cut | Delay | Refusal | HangUp): action is Cut | HangUp {
  return typeof action === 'string' || 'hangsUp' in action
}
