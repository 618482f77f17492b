import type { Sequelize } from 'sequelize'
import type { QueryResult } from 'pg'
import type { GuardedClient } from './client.ts'
import { internalsOf } from './sequelize-internals.ts'

/** Values by the names that stand for them in a statement, as `$name`. */
export type Bind = Readonly<Record<string, unknown>>

/** A statement as the server takes it, and which values go where. */
interface Compiled {
  readonly text: string
  readonly names: readonly string[]
}

// Statements are written in the code: there are not many of them. Texts that are made up for each call push nobody out
// for long.
const MOST_TEXTS = 500

/**
 * Runs statements as sequelize does, with the same words for values and the same errors, but without what its `query` does
 * around each of them: a second retry, hooks, a copy of each row and the search for names in each text anew.
 */
export class StatementRunner {
  readonly #sequelize: Sequelize
  readonly #compiled = new Map<string, Compiled>()

  constructor(sequelize: Sequelize) {
    this.#sequelize = sequelize
  }

  /**
   * Runs one statement on a connection; gives its rows.
   * @throws what sequelize makes of the server's error.
   */
  async run<Row extends object>(connection: GuardedClient, given: string, bind: Bind): Promise<Row[]> {
    const { text, names } = this.#compile(given, bind)
    const values = names.map(name => valueOf(bind, name))
    try {
      const result = await new Promise<QueryResult | QueryResult[]>((resolve, reject) => {
        const answered = (error: Error | null | undefined, answer: unknown) => (error ? reject(error) : resolve(answer as QueryResult))
        connection.ask({ text, values }, answered)
      })
      return (Array.isArray(result) ? result.flatMap(each => each.rows as unknown[]) : result.rows) as Row[]
    } catch (error) {
      const { Query } = internalsOf(this.#sequelize).dialect
      if (typeof error === 'object' && error !== null) Object.assign(error, { sql: text, parameters: values })
      // Here the stack leads to whoever asked; the driver's own only to its socket.
      throw new Query(connection, this.#sequelize, {}).formatError(error, new Error().stack)
    }
  }

  #compile(given: string, bind: Bind): Compiled {
    const known = this.#compiled.get(given)
    if (known !== undefined) return known
    // Each name in the place of its value: so sequelize itself tells in which order they come.
    const names = Object.fromEntries(Object.keys(bind).map(name => [name, bind[name] === undefined ? undefined : name]))
    const [text, order] = internalsOf(this.#sequelize).dialect.Query.formatBindParameters(given.trim(), names, 'postgres')
    if (this.#compiled.size >= MOST_TEXTS) this.#compiled.clear()
    const compiled = { text, names: order }
    this.#compiled.set(given, compiled)
    return compiled
  }
}

function valueOf(bind: Bind, name: string): unknown {
  const value = bind[name]
  if (value === undefined) throw new TypeError(`Named bind parameter "$${name}" has no value in the given object.`)
  // What text cannot hold in PostgreSQL sequelize writes as a backslash and a nought.
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', String.raw`\0`) : value
}
