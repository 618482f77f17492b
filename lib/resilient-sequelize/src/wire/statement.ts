import type { Sequelize } from 'sequelize'
import type { QueryResult } from 'pg'
import { noteCaller, withCaller } from '../../../invocation/src/call-site.ts'
import type { GuardedClient } from './guarded-client.ts'
import { numberPlaceholders, type Numbered } from './placeholders.ts'
import { internalsOf } from './sequelize-internals.ts'

/** The values of a statement: by the names that stand for them, as `$name`, or in the order of `$1`, `$2`. */
export type Bind = Readonly<Record<string, unknown>> | readonly unknown[]

// Statements are written in the code, so there are few. Texts that are made up for each call must not pile up.
const MOST_TEXTS = 500

/**
 * Runs statements as sequelize does, with the same words for values and the same errors, but without what its `query` does
 * around each of them: a second retry, hooks, a copy of each row and the search for names in each text anew.
 */
export class StatementRunner {
  readonly #sequelize: Sequelize
  readonly #compiled = new Map<string, Numbered>()

  constructor(sequelize: Sequelize) {
    this.#sequelize = sequelize
  }

  /**
   * Runs one statement on a connection; returns its rows. A text without values is sent as it is.
   * @throws what Sequelize makes of the server's error; TypeError for a value that is missing.
   */
  async run<Row extends object>(connection: GuardedClient, given: string, bind: Bind | null): Promise<Row[]> {
    const { text, values } = this.#prepare(given, bind ?? {})
    const caller = noteCaller()
    try {
      const result = await new Promise<QueryResult | QueryResult[]>((resolve, reject) => {
        const answered = (error: Error | null | undefined, answer: unknown) => (error ? reject(error) : resolve(answer as QueryResult))
        connection.ask({ text, values }, answered)
      })
      return (Array.isArray(result) ? result.flatMap(each => each.rows as unknown[]) : result.rows) as Row[]
    } catch (error) {
      if (typeof error === 'object' && error !== null) Object.assign(error, { sql: text, parameters: values })
      throw withCaller(this.format(connection, error), caller)
    }
  }

  /** Sequelize's error for an error of the server, by class; its stack leads to the caller and not to the socket. */
  format(connection: GuardedClient, error: unknown): Error {
    const { Query } = internalsOf(this.#sequelize).dialect
    return new Query(connection, this.#sequelize, {}).formatError(error, new Error().stack)
  }

  #prepare(given: string, bind: Bind): { text: string; values: readonly unknown[] } {
    if (isPositional(bind)) return { text: given, values: bind.map(storable) }
    const { text, names } = this.#compile(given, bind)
    return { text, values: names.map(name => namedValue(bind, name)) }
  }

  #compile(given: string, bind: Readonly<Record<string, unknown>>): Numbered {
    const declared = Object.keys(bind)
    if (declared.length === 0) return { text: given, names: [] }
    const key = `${declared.join()}\n${given}`
    const known = this.#compiled.get(key)
    if (known !== undefined) return known
    const compiled = numberPlaceholders(given, new Set(declared))
    if (this.#compiled.size >= MOST_TEXTS) this.#compiled.clear()
    this.#compiled.set(key, compiled)
    return compiled
  }
}

function isPositional(bind: Bind): bind is readonly unknown[] {
  return Array.isArray(bind)
}

function namedValue(bind: Readonly<Record<string, unknown>>, name: string): unknown {
  const value = bind[name]
  if (value === undefined) throw new TypeError(`The statement has "$${name}", and its value is undefined.`)
  return storable(value)
}

// PostgreSQL's text holds no NUL; Sequelize writes it as a backslash and a nought.
function storable(value: unknown): unknown {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', String.raw`\0`) : value
}
