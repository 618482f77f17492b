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

export type ParsedDatabaseUrl = { address: DatabaseAddress } | { refused: string }

export const DEFAULT_PORT = 5432

/**
 * Takes a `postgres://` URL apart. pg would let `sslmode` in a URL override the TLS options it is given, so no URL
 * ever reaches it. Parameters that this code does not know are refused by name instead of being dropped silently.
 */
export function parseDatabaseUrl(text: string): ParsedDatabaseUrl {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return { refused: 'is no URL (special characters in the password have to be percent-encoded)' }
  }
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') return { refused: 'does not begin with postgres:// or postgresql://' }
  const unknown = [...url.searchParams.keys()].filter(key => key !== 'sslmode')
  if (unknown.length > 0) return { refused: `has a parameter other than sslmode${named(unknown)}; a ? in the password has to be percent-encoded` }
  if (url.hash !== '') return { refused: 'holds a #, which has to be percent-encoded' }
  const modes = url.searchParams.getAll('sslmode')
  const sslmode = sslModes.find(mode => mode === modes[0])
  if (modes.length > 1 || (modes.length === 1 && sslmode === undefined)) return { refused: `has an sslmode that is none of ${sslModes.join(', ')}` }

  const host = decode(url.hostname)?.replace(/^\[|\]$/g, '')
  const name = decode(url.pathname.slice(1))
  const user = decode(url.username)
  const password = decode(url.password)
  if (host === undefined || name === undefined || user === undefined || password === undefined)
    return { refused: 'holds a percent sign that encodes nothing' }
  const missing = Object.entries({ host, user, password, 'database name': name }).filter(([, value]) => value === '')
  if (missing.length > 0) return { refused: `has no ${missing.map(([part]) => part).join(', no ')}` }
  return { address: { host, port: url.port === '' ? DEFAULT_PORT : Number(url.port), name, user, password, sslmode } }
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

// What looks like a parameter may be a piece of a password: only names that other tools put into such URLs are repeated.
const KNOWN_ELSEWHERE = new Set(
  'application_name channel_binding connect_timeout connection_limit keepalives options pgbouncer pool_timeout schema ssl sslcert sslkey sslnegotiation sslrootcert target_session_attrs uselibpqcompat'.split(
    ' ',
  ),
)

function named(parameters: readonly string[]): string {
  const known = [...new Set(parameters)].filter(name => KNOWN_ELSEWHERE.has(name))
  return known.length === 0 ? '' : ` (${known.join(', ')})`
}
