/** What an error means for the operation that met it. */
export type ErrorClass =
  /** The pool was closed under the operation; nothing was sent. The next generation takes it. */
  | 'pool-closed'
  /** No connection could be made just now; nothing was sent. */
  | 'connect-failed'
  /** No connection can be made as things are set up: a wrong password, a certificate that does not fit. */
  | 'connect-refused'
  /** Not about connecting at all. */
  | 'other'

// sequelize throws these as plain errors without a code.
const CLOSED_POOL = ['ConnectionManager.getConnection was called after the connection manager was closed!', 'pool is draining and cannot accept work']

// While connecting, the server refuses with these before it runs anything: too many connections, starting up, shutting down.
const REFUSED_WHILE_CONNECTING = new Set(['53300', '57P01', '57P02', '57P03', '08001', '08004', '08006'])
const NETWORK_WHILE_CONNECTING = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EPIPE',
])
const CONNECTION_ERROR = /^Sequelize(Connection|Host|AccessDenied|InvalidConnection)/
const TEXT_WHILE_CONNECTING = /^(timeout expired|Connection terminated|Connection timed out)/

/** Class of an error that came while a connection was being acquired, that is before any statement was sent. */
export function classifyAcquireError(error: unknown): ErrorClass {
  if (!(error instanceof Error)) return 'other'
  if (CLOSED_POOL.includes(error.message)) return 'pool-closed'
  if (error.name === 'SequelizeConnectionAcquireTimeoutError') return 'connect-failed'
  // sequelize wraps whatever connecting met; anything else is an error of the code around it.
  if (!CONNECTION_ERROR.test(error.name)) return 'other'
  const root = rootOf(error)
  const code = errorCode(root)
  const transient =
    code === undefined ? TEXT_WHILE_CONNECTING.test(root.message) : REFUSED_WHILE_CONNECTING.has(code) || NETWORK_WHILE_CONNECTING.has(code)
  return transient ? 'connect-failed' : 'connect-refused'
}

/** The SQLSTATE or errno of an error, looked for under the wrappings that sequelize puts around it. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { code } = rootOf(error) as Error & { code?: unknown }
  return typeof code === 'string' ? code : undefined
}

function rootOf(error: Error): Error {
  const { original } = error as Error & { original?: unknown }
  return original instanceof Error && original !== error ? rootOf(original) : error
}

const UNIQUE_VIOLATION = '23505'

/** Name of the unique constraint that an error reports as violated, if that is what it reports. */
export function violatedUniqueConstraint(error: unknown): string | undefined {
  if (!(error instanceof Error) || errorCode(error) !== UNIQUE_VIOLATION) return undefined
  const { constraint } = rootOf(error) as Error & { constraint?: unknown }
  return typeof constraint === 'string' ? constraint : undefined
}
