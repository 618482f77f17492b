import type pg from 'pg'
import { missingMembers, type Member } from './members.ts'

/** A statement in pg's terms. */
export interface Statement {
  readonly text: string
  readonly values?: readonly unknown[] | undefined
  readonly name?: string | undefined
  /** See `RawOptions`. */
  readonly again?: boolean
  /** `array` answers rows as arrays. */
  readonly rowMode?: string
  /** Parsers for this statement alone. */
  readonly types?: pg.CustomTypesConfig
  readonly binary?: boolean
  readonly queryMode?: string
  /** Longest number of rows per answer of the server. */
  readonly rows?: number
}

export type QueryCallback = (error: Error | null | undefined, result?: unknown) => void

type ParsedStatements = Record<string, string | undefined>

/** The messages of the extended protocol that pg's connection can write, and the statements that it knows by name. */
export interface Wire {
  readonly parsedStatements: ParsedStatements
  readonly submittedNamedStatements: ParsedStatements
  parse(message: { text: string; name?: string | undefined }): void
  bind(message: { statement?: string | undefined; values?: readonly unknown[] | undefined }): void
  execute(message: object): void
  flush(): void
  sync(): void
}

/** How pg's queries deal with the server's answers. */
export interface QueryInternals {
  name: string | undefined
  readonly _result: pg.QueryResult
  prepare(wire: Wire): void
  requiresPreparation(): boolean
  handleDataRow(message: { readonly fields: readonly unknown[] }): void
  handleCommandComplete(message: { readonly text: string }, wire: Wire): void
  handleError(error: unknown, wire: Wire): void
  _getRows(wire: Wire, rows: unknown): void
}

/** pg's queries, made of text and values: in an object these are copied property by property. */
export type QueryClass = new (text: string, values: readonly unknown[] | undefined, callback: QueryCallback) => pg.Query & QueryInternals

/** Whether a statement asks pg for more than text, values and name. */
export function hasQueryOptions({ rowMode, types, binary, queryMode, rows }: Statement): boolean {
  return (rowMode ?? types ?? binary ?? queryMode ?? rows) !== undefined
}

/** The statement under a name; text and values may be getters of a class, as with tagged templates. */
export function named(statement: Statement, name: string | undefined): Statement {
  const { text, values } = statement
  if (!hasQueryOptions(statement)) return { text, values, name }
  const { rowMode, types, binary, queryMode, rows } = statement
  return { text, values, name, rowMode, types, binary, queryMode, rows } as Statement
}

/** What pg's query is constructed of, for a statement with all that it asks for. */
export function queryArguments(statement: Statement, callback: QueryCallback): ConstructorParameters<QueryClass> {
  const { text, values } = statement
  if (!hasQueryOptions(statement)) return [text, values, callback]
  // As one object, which the types of the class leave out.
  return [{ ...named(statement, undefined), callback }] as unknown as ConstructorParameters<QueryClass>
}

/** Parts of pg's client that its types hide. */
interface ClientInternals {
  readonly processID: number | null
  readonly _ending: boolean
  readonly connectionTimeoutHandle?: NodeJS.Timeout
}

/** The process id that the server announced at log-in; a pooler announces one of its own. */
export function processIdOf(client: pg.Client): number | null {
  return (client as unknown as ClientInternals).processID
}

/** The statements that the server has parsed for this client, by their names. */
export function parsedStatementsOf(client: pg.Client): ParsedStatements {
  return (client.connection as unknown as Wire).parsedStatements
}

/** Whether `end()` was called on the client. */
export function isEnding(client: pg.Client): boolean {
  return (client as unknown as ClientInternals)._ending
}

/** Stops the timer of a connection attempt that failed before it began. */
export function stopConnectTimer(client: pg.Client): void {
  clearTimeout((client as unknown as ClientInternals).connectionTimeoutHandle)
}

export function queryClassOf(Client: typeof pg.Client): QueryClass {
  return (Client as unknown as { Query: QueryClass }).Query
}

/** A query whose private parts have names of their own, so that a subclass can replace them. */
export interface ExtensibleQuery extends QueryInternals {
  /** The answer as far as it has arrived. */
  readonly answerSoFar: pg.QueryResult
  /** Sends Execute and what has the server answer it: Sync, or Flush when `rows` limits the answer. */
  requestRows(wire: Wire, rows: unknown): void
}

export type ExtensibleQueryClass = new (...given: ConstructorParameters<QueryClass>) => pg.Query & ExtensibleQuery

export function extensibleQuery(Query: QueryClass): ExtensibleQueryClass {
  return class extends Query implements ExtensibleQuery {
    get answerSoFar(): pg.QueryResult {
      return this._result
    }

    requestRows(wire: Wire, rows: unknown): void {
      super._getRows(wire, rows)
    }

    override _getRows(wire: Wire, rows: unknown): void {
      this.requestRows(wire, rows)
    }
  }
}

/** pg's method that makes the start-up message; call it on the client. */
export function startUpMethodOf(Client: typeof pg.Client): (this: pg.Client) => Record<string, string> {
  return (Client.prototype as unknown as { getStartupConf: (this: pg.Client) => Record<string, string> }).getStartupConf
}

/** Whether the client's socket keeps the process alive. A stream of the application's own may not support this. */
export function keepProcessAlive(client: pg.Client, keep: boolean): void {
  const { stream } = client.connection as unknown as { stream: { ref?(): void; unref?(): void } }
  if (keep) stream.ref?.()
  else stream.unref?.()
}

/** Whether pg refused to send anything, because it knew the connection to be dead. */
export function wasNotSent(error: unknown): boolean {
  return error instanceof Error && PG_TEXTS.notQueryable.test(error.message)
}

/** The texts of errors that pg raises without a code; see the error table. */
export const PG_TEXTS = {
  notQueryable: /^Client (has encountered a connection error|was closed) and is not queryable$/,
  terminated: /^Connection terminated( unexpectedly)?$/,
  connectTimeout: /^(timeout expired|timeout exceeded when trying to connect|Connection terminated due to connection timeout)$/,
  readTimeout: /^Query read timeout$/,
  unexpectedMessage: /^Received unexpected \w+ message from backend\.?$/,
  tlsUnsupported: /server does not support SSL/,
  tlsNotAnswered: /^There was an error establishing an SSL connection$/,
  sasl: /^(SASL|SCRAM)\b|client password must be a (non-empty )?string/,
} as const

/** pg versions with which everything here was tested. */
export const TESTED_PG = '8.23'

/** Every private member of pg that is used: where it is, and what it must be. */
export const PG_MEMBERS: readonly Member[] = [
  { of: 'Client', name: 'Query', type: 'function' },
  { of: 'Client.prototype', name: 'getStartupConf', type: 'function' },
  { of: 'Client.prototype', name: 'getTransactionStatus', type: 'function' },
  { of: 'client', name: 'connection', type: 'object' },
  { of: 'client', name: 'processID', type: 'any' },
  { of: 'client', name: '_ending', type: 'boolean' },
  { of: 'client', name: 'pipeline', type: 'boolean' },
  { of: 'client.connection', name: 'stream', type: 'object' },
  { of: 'client.connection', name: 'parsedStatements', type: 'object' },
  { of: 'client.connection', name: 'submittedNamedStatements', type: 'object' },
  { of: 'client.connection', name: 'parse', type: 'function' },
  { of: 'client.connection', name: 'bind', type: 'function' },
  { of: 'client.connection', name: 'execute', type: 'function' },
  { of: 'client.connection', name: 'flush', type: 'function' },
  { of: 'client.connection', name: 'sync', type: 'function' },
  { of: 'query', name: '_result', type: 'object' },
  { of: 'query', name: 'prepare', type: 'function' },
  { of: 'query', name: 'requiresPreparation', type: 'function' },
  { of: 'query', name: 'handleDataRow', type: 'function' },
  { of: 'query', name: 'handleCommandComplete', type: 'function' },
  { of: 'query', name: 'handleError', type: 'function' },
  { of: 'query', name: '_getRows', type: 'function' },
]

/** The members of `PG_MEMBERS` that this pg lacks; nothing is connected. */
export function missingPgMembers({ Client }: { Client: typeof pg.Client }): string[] {
  const client = typeof Client === 'function' ? new Client({}) : undefined
  const Query = typeof Client === 'function' ? queryClassOf(Client) : undefined
  const query = typeof Query === 'function' ? new Query('', [], () => undefined) : undefined
  return missingMembers(PG_MEMBERS, {
    Client,
    'Client.prototype': Client?.prototype,
    client,
    'client.connection': (client as { connection?: unknown } | undefined)?.connection,
    query,
  })
}
