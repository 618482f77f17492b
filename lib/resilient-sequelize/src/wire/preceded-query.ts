import type pg from 'pg'

/** Settings of the server that hold for one transaction, by their names. */
export type LocalSettings = Readonly<Record<string, string | number>>

/** A statement in pg's terms. */
export interface Statement {
  readonly text: string
  readonly values?: readonly unknown[] | undefined
  readonly name?: string | undefined
  /** See `RawOptions`. */
  readonly again?: boolean
}

export type QueryCallback = (error: Error | null | undefined, result?: unknown) => void

export interface PrecededOptions {
  /** What is to be sent first; see `settingStatement`. */
  readonly before: Statement
  readonly statement: Statement
  /** Hears which session of the server has answered. */
  readonly onSession: (pid: number) => void
}

type PrecededQueryClass = new (options: PrecededOptions, callback: QueryCallback) => pg.Query

type ParsedStatements = Record<string, string | undefined>

/** The messages of the extended protocol that pg's connection can write, and what its queries do about answers. */
interface Wire {
  readonly parsedStatements: ParsedStatements
  readonly submittedNamedStatements: ParsedStatements
  parse(message: { text: string; name?: string | undefined }): void
  bind(message: { statement?: string | undefined; values?: readonly unknown[] | undefined }): void
  execute(message: object): void
}
interface QueryInternals {
  name: string | undefined
  prepare(wire: Wire): void
  requiresPreparation(): boolean
  handleDataRow(message: { readonly fields: readonly unknown[] }): void
  handleCommandComplete(message: unknown, wire: Wire): void
  handleError(error: unknown, wire: Wire): void
}

/** pg's queries, as they are made of text and values: in an object these are copied property by property. */
export type QueryClass = new (text: string, values: readonly unknown[] | undefined, callback: QueryCallback) => pg.Query & QueryInternals

/** Gives a query the name under which the server keeps it parsed. */
export function nameQuery<Query extends { name: string | undefined }>(query: Query, name: string | undefined): Query {
  query.name = name
  return query
}

/**
 * Makes the class of query that sets something right before its statement, up to one Sync: the server takes both for one
 * transaction, ends that by itself however the statement ends, and answers all of it at once.
 */
export function precedeQuery(Query: QueryClass): PrecededQueryClass {
  return class PrecededQuery extends Query {
    readonly #options: PrecededOptions
    #settled = false

    constructor(options: PrecededOptions, callback: QueryCallback) {
      const { text, values, name } = options.statement
      super(text, values, callback)
      nameQuery(this, name)
      this.#options = options
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
      super.prepare(wire)
    }

    // What goes before is answered first, with a row that nobody asked the form of.
    override handleDataRow(message: { readonly fields: readonly unknown[] }): void {
      if (this.#settled) super.handleDataRow(message)
      else this.#options.onSession(Number(message.fields.at(-1)))
    }

    override handleCommandComplete(message: unknown, wire: Wire): void {
      if (this.#settled) return super.handleCommandComplete(message, wire)
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

/** Sets something for the transaction and tells the session; by a function, since SET LOCAL warns where none was begun by name. */
export function settingStatement(settings: LocalSettings): Required<Pick<Statement, 'text' | 'values'>> {
  const calls = Object.keys(settings).map((name, index) => `set_config('${name}', $${index + 1}, true)`)
  return { text: `SELECT ${calls.join(', ')}, pg_backend_pid()`, values: Object.values(settings).map(String) }
}

/**
 * Whether a statement may be preceded by settings: a single one, that leaves transactions alone. What has values is single,
 * or the server refuses it.
 */
export function canBePreceded({ text, values = [] }: Statement): boolean {
  return /^\s*(?:SELECT|WITH|VALUES|TABLE)\b/i.test(text) && (values.length > 0 || /^[^;]*(?:;\s*)?$/.test(text))
}
