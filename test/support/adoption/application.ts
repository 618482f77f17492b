import { join } from 'node:path'
import { type TestDatabase } from '../../../lib/postgres-faults/src/test-database.ts'
import { startChild, type Child } from './child.ts'

/** One call of the ordinary application, as its driver records it. */
interface Call {
  readonly kind: string
  readonly key: string
  readonly outcome: 'open' | 'right' | 'wrong' | 'coded' | 'uncoded'
  readonly code?: string
  readonly message?: string
  readonly ms: number
}

/** What became of all calls, and of their rows. */
export interface Outcome {
  /** Whether calls after the fault were all right. */
  readonly recovered: boolean
  readonly calls: number
  readonly right: number
  readonly coded: number
  /** Errors without a string `code`, and wrong results. */
  readonly uncoded: number
  /** Rows of calls that returned, not found. */
  readonly missing: number
  /** Rows of calls that failed, or second rows of one call. */
  readonly tooMany: number
  /** Calls that may or may not have a row, by their error: `commit-unknown` and `result-lost`. */
  readonly undecided: number
  readonly slowestMs: number
  /** Each error once, with its count. */
  readonly errors: ReadonlyMap<string, number>
}

/** The ordinary application in a process of its own. */
export interface Application {
  readonly child: Child
  readonly database: TestDatabase
  /** Terminates every session of the application and waits until they are gone. */
  terminate(): Promise<void>
  outcome(): Promise<Outcome>
}

const UNDECIDED = ['commit-unknown', 'result-lost']

/** Starts the application of a folder, with its tables made. */
export async function startApplication(options: { folder: string; name: string; node: string; database: TestDatabase }): Promise<Application> {
  const { folder, name, node, database } = options
  const child = startChild({ file: join(folder, 'driver.cjs'), args: [name], env: { DATABASE_URL: database.url }, node })
  try {
    await child.order('begin')
  } catch (error) {
    await child.end()
    throw error
  }
  return {
    child,
    database,
    terminate: () => terminateSessions(database),
    async outcome() {
      const recovered = (await child.order('recover')) as boolean
      const calls = (await child.order('report')) as Call[]
      const books = await countsOf(database, 'SELECT title AS key, count(*)::int AS count FROM books GROUP BY 1')
      const authors = await countsOf(database, "SELECT split_part(email, '@', 1) AS key, count(*)::int AS count FROM authors GROUP BY 1")
      const rowsOf = ({ kind, key }: Call) => (kind === 'addBook' ? books : authors).get(key) ?? 0
      const writes = calls.filter(({ kind }) => kind === 'addBook' || kind === 'addAuthor')
      const isUndecided = ({ code }: Call) => UNDECIDED.includes(code ?? '')
      const most = (call: Call) => (call.outcome === 'right' || call.outcome === 'wrong' || isUndecided(call) ? 1 : 0)
      const errors = new Map<string, number>()
      for (const { outcome, code, message } of calls) {
        if (outcome === 'right') continue
        const text = outcome === 'coded' ? String(code) : `${outcome}: ${message ?? 'wrong result'}`
        errors.set(text, (errors.get(text) ?? 0) + 1)
      }
      return {
        recovered,
        calls: calls.length,
        right: calls.filter(({ outcome }) => outcome === 'right').length,
        coded: calls.filter(({ outcome }) => outcome === 'coded').length,
        uncoded: calls.filter(({ outcome }) => outcome !== 'right' && outcome !== 'coded').length,
        missing: writes.filter(call => call.outcome === 'right' && rowsOf(call) === 0).length,
        tooMany: writes.filter(call => rowsOf(call) > most(call)).length,
        undecided: calls.filter(isUndecided).length,
        slowestMs: Math.max(...calls.map(({ ms }) => ms)),
        errors,
      }
    },
  }
}

/** Terminates every other session of a database and waits until they are gone. */
export async function terminateSessions(database: TestDatabase): Promise<void> {
  await database.query('SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()')
}

async function countsOf(database: TestDatabase, sql: string): Promise<Map<string, number>> {
  return new Map((await database.query<{ key: string; count: number }>(sql)).map(({ key, count }) => [key, count]))
}
