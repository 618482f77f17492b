import type pg from 'pg'
import { lowered, SESSION_LIMITS, setLowered, type LocalSettings, type SessionLimits } from './limits.ts'
import { extensibleQuery, queryArguments, type QueryCallback, type QueryClass, type Statement, type Wire } from './pg-internals.ts'
import { NO_SEPARATOR } from './sql-tokens.ts'

export interface PrecededOptions {
  /** The statement that is sent first, up to the same Sync; it answers one row. */
  readonly before: Statement
  readonly statement: Statement
  /** Receives the raw fields of that row before the statement itself is answered. */
  readonly onFirstRow: (fields: readonly unknown[]) => void
  /** Sends a Flush behind each of the two, so that both are answered before the server commits. */
  readonly flushed?: boolean
}

/** A query that tells, when its connection is lost, which answer had arrived already. */
export interface PrecededQuery extends pg.Query {
  /** The whole answer of the statement, once the server has completed it; its commit may still be open. */
  readonly completed: pg.QueryResult | undefined
}

export type PrecededQueryClass = new (options: PrecededOptions, callback: QueryCallback) => PrecededQuery

/** Gives a query the name under which the server keeps it parsed. */
export function nameQuery<Query extends { name: string | undefined }>(query: Query, name: string | undefined): Query {
  query.name = name
  return query
}

/**
 * Makes the class of query that sends one statement right before another, up to one Sync: the server takes both for one
 * transaction, ends that by itself however the second ends, and answers all of it at once.
 */
export function precedeQuery(Query: QueryClass): PrecededQueryClass {
  return class extends extensibleQuery(Query) implements PrecededQuery {
    readonly #options: PrecededOptions
    #settled = false
    #completed: pg.QueryResult | undefined

    constructor(options: PrecededOptions, callback: QueryCallback) {
      super(...queryArguments(options.statement, callback))
      nameQuery(this, options.statement.name)
      this.#options = options
    }

    get completed(): pg.QueryResult | undefined {
      return this.#completed
    }

    override requiresPreparation(): boolean {
      return true
    }

    override prepare(wire: Wire): void {
      const { text, name, values } = this.#options.before
      const parsed = name !== undefined && (wire.parsedStatements[name] ?? wire.submittedNamedStatements[name]) !== undefined
      if (!parsed) wire.parse({ text, name })
      if (!parsed && name !== undefined) wire.submittedNamedStatements[name] = text
      wire.bind({ statement: name, values })
      wire.execute({})
      if (this.#options.flushed) wire.flush()
      super.prepare(wire)
    }

    // pg sends Execute and Sync in one go; a Flush between them has the answer sent before the commit.
    override requestRows(wire: Wire, rows: unknown): void {
      if (!this.#options.flushed) return super.requestRows(wire, rows)
      wire.execute({})
      wire.flush()
      wire.sync()
    }

    // The first statement is answered first, with a row whose description was not asked for.
    override handleDataRow(message: { readonly fields: readonly unknown[] }): void {
      if (this.#settled) super.handleDataRow(message)
      else this.#options.onFirstRow(message.fields)
    }

    override handleCommandComplete(message: { readonly text: string }, wire: Wire): void {
      if (this.#settled) {
        super.handleCommandComplete(message, wire)
        this.#completed = this.answerSoFar
        return
      }
      this.#settled = true
      const { text, name } = this.#options.before
      if (name === undefined) return
      wire.parsedStatements[name] = text
      delete wire.submittedNamedStatements[name]
    }

    override handleError(error: unknown, wire: Wire): void {
      const { name } = this.#options.before
      if (!this.#settled && name !== undefined) delete wire.submittedNamedStatements[name]
      super.handleError(error, wire)
    }
  }
}

/**
 * Sets values for the transaction, by a function, since SET LOCAL warns outside of a transaction block. The row holds the
 * session's own limits if they are not known, then what was set, then the session's process id.
 */
export function settingStatement(settings: LocalSettings, session: SessionLimits | undefined): Required<Pick<Statement, 'text' | 'values'>> {
  const set = lowered(settings, session)
  const names = Object.keys(set)
  const calls = names.map((name, index) => (session === undefined ? setLowered(name, `$${index + 1}`) : `set_config('${name}', $${index + 1}, true)`))
  const columns = [...(session === undefined ? [SESSION_LIMITS] : []), ...calls, 'pg_backend_pid()']
  return { text: `SELECT ${columns.join(', ')}`, values: Object.values(set).map(String) }
}

/**
 * Whether a statement may be preceded by settings: a single one, that leaves transactions alone. What has values is single,
 * or the server refuses it.
 */
export function canBePreceded(statement: Statement): boolean {
  return isSingle(statement) && /^\s*(?:SELECT|WITH|VALUES|TABLE)\b/i.test(statement.text)
}

/** Whether a text is certainly one statement. */
export function isSingle({ text, values = [] }: Statement): boolean {
  // A placeholder without values is the server's to refuse, in the words of the simple protocol.
  return values.length > 0 || (NO_SEPARATOR.test(text) && !/\$\d/.test(text))
}
