import { decodePart, refuseParameter, takeApart, type UrlForm, type UrlParts } from './server-url.ts'
import { sslModes, type SslMode } from './tls.ts'

/** Where the database is and who logs in. */
export interface DatabaseAddress {
  host: string
  port: number
  name: string
  user: string
  password: string
  sslmode?: SslMode | undefined
}

export type ParsedDatabaseUrl = { address: DatabaseAddress } | { refused: readonly string[] }

export const DEFAULT_PORT = 5432
/** What to say of pg's word for an encrypted connection whose server is not verified. */
export const NO_VERIFY = 'no-verify, which only node-postgres knows: write require instead'

const EXAMPLE = 'postgresql://user:password@host:port/name'
const FORM: UrlForm = {
  schemes: ['postgres', 'postgresql'],
  example: EXAMPLE,
  command: /^(?:\$\s*)?(?:PG[A-Z]+=\S*\s+)*(?:psql|pg_dump|pg_restore|pgcli)\s/,
  others: [
    [/^jdbc:/i, 'is a URL for JDBC: remove jdbc:, and write user:password@ before the host'],
    [/^postgres(?:ql)?\+/i, 'has the name of a driver in its scheme: remove the + and what follows, up to ://'],
    [/^postgres(?:ql)?:(?!\/\/)/i, `has no // after its scheme: write ${EXAMPLE}`],
    [/^socket:/i, 'is a socket as node-postgres writes it: write its folder as the host, with each / as %2F'],
    [/^(?:rediss?|valkeys?):/i, 'is the URL of Redis or Valkey: write it into REDIS_URL'],
    [/^(?:mysqlx?|mysql2|mariadb|mongodb(?:\+srv)?|sqlserver|mssql|oracle|sqlite3?|file):/i, 'is for another kind of database: PostgreSQL is needed'],
    [
      /^(?:host(?:addr|name)?|server|data source|port|dbname|database|user(?:name| id)?|uid|password|pwd|sslmode|service)\s*=/i,
      `is a list of key=value: write ${EXAMPLE}, or use DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASSWORD`,
    ],
  ],
}

const IN_FRONT = 'write it before the ?, in its place'
// Names that other tools put into such URLs.
const INSTEAD: Readonly<Record<string, string>> = {
  sslmode: 'write its name in lower case',
  ssl: 'write sslmode=require',
  sslrootcert: 'write the certificate into DB_CA_CERT',
  sslnegotiation: 'use DB_TLS_NEGOTIATION',
  pgbouncer: 'use DB_POOLER=transaction',
  connection_limit: 'use DB_POOL_MAX',
  pool_timeout: 'use DB_POOL_ACQUIRE_MS',
  host: `${IN_FRONT}; the folder of a socket with each / as %2F`,
  hostaddr: IN_FRONT,
  port: IN_FRONT,
  user: IN_FRONT,
  password: IN_FRONT,
  dbname: IN_FRONT,
  ...Object.fromEntries(
    'application_name channel_binding connect_timeout keepalives options schema service sslcert sslkey target_session_attrs uselibpqcompat'
      .split(' ')
      .map(name => [name, 'remove it']),
  ),
}

/**
 * Takes the URL of a PostgreSQL server apart. pg would let `sslmode` in a URL override the TLS options it is given, so no
 * URL ever reaches it. A parameter that is not read is refused by name instead of being dropped silently.
 */
export function parseDatabaseUrl(text: string): ParsedDatabaseUrl {
  const parts = takeApart(text, FORM)
  if ('refused' in parts) return { refused: [parts.refused] }
  const refused = [...parts.refusals]
  const name = decodePart('database name', parts.path, refused)
  if (parts.host !== '' && parts.path.includes('/')) refused.push('has a / in its database name: remove it, or write %2F')
  const sslmode = readSslMode(parts, refused)
  const { user, password, host, port = DEFAULT_PORT } = parts
  const missing = Object.entries({ host, user, password, 'database name': name }).filter(([, value]) => value === '')
  if (missing.length > 0) refused.push(describeMissing(missing.map(([part]) => part)))
  return refused.length > 0 ? { refused } : { address: { host, port, name, user, password, sslmode } }
}

function readSslMode(parts: UrlParts, refused: string[]): SslMode | undefined {
  const others = new Set(parts.parameters.map(([name]) => name).filter(name => name !== 'sslmode'))
  refused.push(...new Set([...others].map(name => refuseParameter(name, parts, INSTEAD))))
  const modes = parts.parameters.flatMap(([name, value]) => (name === 'sslmode' ? [value] : []))
  const [mode] = modes
  if (modes.length > 1) refused.push('has sslmode more than once: write it once')
  else if (mode === 'no-verify') refused.push(`has sslmode ${NO_VERIFY}`)
  else if (mode !== undefined && !isSslMode(mode)) refused.push(`has an sslmode that is none of ${sslModes.join(', ')}`)
  return mode !== undefined && isSslMode(mode) ? mode : undefined
}

function isSslMode(text: string): text is SslMode {
  return (sslModes as readonly string[]).includes(text)
}

function describeMissing(missing: readonly string[]): string {
  const hints = [
    ...(missing.includes('host') ? ['the folder of a socket is a host, with each / as %2F'] : []),
    ...(missing.includes('password') ? ['in .env, # begins a comment unless the value is in quotes'] : []),
  ]
  return `has no ${missing.join(', no ')}: write ${EXAMPLE}${hints.length > 0 ? ` (${hints.join('; ')})` : ''}`
}
