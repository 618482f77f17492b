/**
 * Makes an id that was not there before. With a name, it makes one for that name in each set of samples, so that an event and a
 * request can be about the same user.
 */
export type FreshId = (name?: string) => string

/** A request that `npm start` prints as a command to paste. */
export interface SampleRequest {
  /** What stands above the command, such as `A new user`. */
  readonly title: string
  readonly method: string
  /** Behind the address of the functions, such as `/user`. `{id}` stands for the id that `lookUp` finds. */
  readonly path: string
  /** The path of a list, behind the address as well, whose only item has the id that `path` needs. */
  readonly lookUp?: (freshId: FreshId) => string
  /** Makes the body, which is sent as JSON. Without it, none is sent. */
  readonly body?: (freshId: FreshId) => Readonly<Record<string, unknown>>
}

/** Events and requests with which the tools show what an application does. */
export interface Samples {
  /** The type of the event that `npm start` prints. */
  readonly eventType: string
  /** Data that the handler of a type takes; nothing for a type without a handler. */
  readonly eventData: (type: string, freshId: FreshId) => Readonly<Record<string, unknown>>
  readonly requests: readonly SampleRequest[]
}

/** A call of a smoke check. */
export interface SmokeCall {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Behind the address of the functions, such as `/user`. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: unknown
  /** Whether the call is made without the API key. */
  readonly withoutKey?: boolean
}

export interface SmokeTools {
  /** Differs in each run. */
  readonly mark: string
  /**
   * Makes a call and returns the body of its answer.
   * @throws Error if there is no answer, or another status or field than expected
   */
  readonly call: (
    call: SmokeCall,
    expected: { readonly status: number; readonly fields?: Readonly<Record<string, unknown>> },
  ) => Promise<Readonly<Record<string, unknown>>>
}

/** One line of `npm run smoke`. */
export interface SmokeCheck {
  readonly name: string
  /**
   * Returns what it saw, for a person.
   * @throws Error that says what is wrong with the deployment
   */
  readonly run: (tools: SmokeTools) => Promise<string>
}

/** What `npm run smoke` checks of an application's own functions. */
export interface Smoke {
  /** The scopes that its API key needs. Without any, no key is asked for. */
  readonly scopes: readonly string[]
  /** Makes the checks of one run, which share what they created. */
  readonly checks: () => readonly SmokeCheck[]
}
