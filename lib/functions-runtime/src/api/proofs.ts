/** An event that its sender signs and delivers. Its id is the id of the run. */
export interface ProvenWebhook {
  readonly source: string
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

/** A request over the web. Without an `authorization` header it carries a key with every scope of the application. */
export interface ProvenRequest {
  readonly method: string
  /** Behind the name of the function, such as `/` or `/{id}`. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: unknown
}

/** What a schedule or a person invokes a function with. */
export interface ProvenInvocation {
  readonly input: Readonly<Record<string, unknown>>
}

export type ProvenCall = ProvenWebhook | ProvenRequest | ProvenInvocation

/** What a call was answered with. */
export interface ProvenAnswer {
  /** An invocation that ended without an error counts as 200. */
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/** What an operation does before and after its own call. Nothing here is recorded or disturbed. */
export interface ProofTools {
  /** Runs a statement on the server. */
  readonly query: <Row extends object>(sql: string, values?: readonly unknown[]) => Promise<Row[]>
  /** Calls a function, `package/function`, again and again until it answers with 2xx. Default: each call has 10 s. */
  readonly call: (functionName: string, call: ProvenCall, options?: { readonly deadlineMs?: number }) => Promise<ProvenAnswer>
  /** Does work while no function reaches the database. */
  readonly withoutDatabase: <Result>(work: () => Promise<Result>) => Promise<Result>
}

/** Where the database is behind a pooler in transaction mode, and where it is not. */
export type ProvenWay = 'direct' | 'pooler'

/** A call that is cut off at every point of its connection to the database, and repeated until it is acknowledged. */
export interface ProvenOperation {
  /** Such as `webhook applied`. */
  readonly name: string
  /** Whether only `prove --all` includes it. */
  readonly inAllOnly?: boolean
  /** `package/function`. */
  readonly function: string
  /** Makes the call. The same id makes the same call, for every attempt. */
  readonly request: (id: string) => ProvenCall
  /** What has to be there, or to happen, before the call. */
  readonly before?: (id: string, tools: ProofTools) => Promise<void>
  /** What completes the work of an acknowledged call, such as a run of maintenance. */
  readonly after?: (id: string, tools: ProofTools) => Promise<void>
  /**
   * SQL that returns what became of the calls: `id`, `times` and perhaps `amount`. `$1` is a `text[]` of their ids. It is best read
   * from tables that users see.
   */
  readonly effects: string
  /** What each call comes to, as a decimal number. Without it amounts are not compared. */
  readonly amount?: string
  /** What a call may take, in ms. Default 2,000. */
  readonly deadlineMs?: number
  /** Whether the functions have an outage buffer. */
  readonly buffered?: boolean
  /** Default: both. */
  readonly ways?: readonly ProvenWay[]
}

/** What `prove` proves of an application. */
export interface Proofs {
  /** SQL that follows the migrations, such as triggers that count what is written. */
  readonly prepare?: string
  readonly operations: readonly ProvenOperation[]
}
