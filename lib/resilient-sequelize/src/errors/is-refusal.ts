/** Errors behind which the server said that it is ready for the next statement. */
const answers = new WeakSet<object>()
/** Errors behind which the connection ended, without a word that the server is ready. */
const lastWords = new WeakSet<object>()
// Connection exceptions. PgBouncer reports nearly everything as one of them.
const OF_CONNECTION = /^08/

/** Takes note that the server went on after it had reported this error. */
export function noteAnswer(error: object): void {
  answers.add(error)
}

/** Takes note that the connection ended right behind this error. */
export function noteLastWords(error: object): void {
  lastWords.add(error)
}

/**
 * Whether the server itself refuses something and goes on with the session: ReadyForQuery came behind the error. Severity
 * does not tell that. The server translates it, and PgBouncer up to 1.15 says ERROR before it hangs up.
 */
export function isRefusal(error: unknown): boolean {
  return error instanceof Error && answers.has(error) && !isOfConnection(error)
}

/** Whether the connection ended right behind this error, whatever its severity. */
export function isLastWord(error: unknown): boolean {
  return typeof error === 'object' && error !== null && lastWords.has(error)
}

/** Whether the server reported the error: not the driver, and not a pooler in words of its own. */
export function isFromServer(error: unknown): boolean {
  return error instanceof Error && (error as { severity?: unknown }).severity !== undefined && !isOfConnection(error)
}

function isOfConnection(error: Error): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && OF_CONNECTION.test(code)
}
