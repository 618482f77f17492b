// A first call may find no container, and the platform takes its time to make one.
const LONGEST_CALL_MS = 40_000

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Empty when the text is no JSON object. */
  readonly body: Readonly<Record<string, unknown>>
}

export interface Call {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** What a check has found wrong, for a person. */
export class CheckError extends Error {}

/**
 * Calls a function and reads all of its answer.
 * @throws CheckError when there is none.
 */
export async function call(url: string, { method = 'GET', headers = {}, body }: Call = {}): Promise<Answer> {
  try {
    const signal = AbortSignal.timeout(LONGEST_CALL_MS)
    const response = await fetch(url, { method, headers, redirect: 'manual', signal, ...(body === undefined ? {} : { body }) })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, body: objectOf(text) }
  } catch (error) {
    throw new CheckError(`no answer: ${reasonOf(error)}`, { cause: error })
  }
}

/**
 * Holds an answer to the status and the fields that it should have.
 * @throws CheckError
 */
export function expectAnswer({ status, body }: Answer, wished: number, fields: Readonly<Record<string, unknown>> = {}): void {
  const told = typeof body.code === 'string' ? ` (${body.code})` : ''
  if (status !== wished) throw new CheckError(`answered ${status}${told} instead of ${wished}`)
  for (const [name, value] of Object.entries(fields)) {
    if (body[name] !== value)
      throw new CheckError(`answered ${wished} with ${name} ${JSON.stringify(body[name])} instead of ${JSON.stringify(value)}`)
  }
}

function objectOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `nothing within ${LONGEST_CALL_MS / 1000} s`
  // fetch says only that it failed; its cause knows.
  const { cause } = error
  if (!(cause instanceof Error)) return error.message
  return (cause as NodeJS.ErrnoException).code ?? cause.message
}
