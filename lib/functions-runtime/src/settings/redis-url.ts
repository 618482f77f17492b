import { decodePart, refuseParameter, takeApart, type UrlForm, type UrlParts } from './server-url.ts'
import { isManagedHost } from './tls.ts'

const EXAMPLE = 'rediss://user:password@host:port'
const FORM: UrlForm = {
  schemes: ['rediss', 'redis'],
  example: EXAMPLE,
  command: /^(?:\$\s*)?(?:REDISCLI_AUTH=\S*\s+)?(?:redis-cli|valkey-cli)\s/,
  others: [
    [/^(?:redis[\w+-]*)?sentinels?:/i, 'is an address of Sentinel, which is not asked: write that of the primary'],
    [/^rediss?[+-]cluster:/i, 'is an address of a cluster: write that of one server'],
    [/^(?:unix|redis[+-]socket):/i, 'is the file of a socket: write redis://host:port'],
    [/^valkey:/i, 'begins with valkey://: write redis://, or rediss:// for TLS'],
    [/^valkeys:/i, 'begins with valkeys://: write rediss://'],
    [/^rediss?:(?!\/\/)/i, `has no // after its scheme: write ${EXAMPLE}`],
    [/^https?:/i, 'is an address for HTTP: write the one that begins with rediss://'],
    [/^postgres(?:ql)?:/i, 'is the URL of PostgreSQL: write it into DB_CONNECTION_URL'],
    [/,\s*(?:password|user|ssl|abortConnect|defaultDatabase|connectTimeout)\s*=/i, `is a list of options as for .NET: write ${EXAMPLE}`],
  ],
}

const TLS_BY_SCHEME = 'write rediss:// for TLS, and the CA into REDIS_CA_CERT'
const INDEX_BY_PATH = 'write the index of the database after the port, as /1'
const IN_FRONT = 'write user:password@ before the host'
// Names that other clients read.
const INSTEAD: Readonly<Record<string, string>> = {
  db: INDEX_BY_PATH,
  database: INDEX_BY_PATH,
  ssl: TLS_BY_SCHEME,
  tls: TLS_BY_SCHEME,
  ssl_cert_reqs: TLS_BY_SCHEME,
  ssl_ca_certs: TLS_BY_SCHEME,
  user: IN_FRONT,
  username: IN_FRONT,
  password: IN_FRONT,
  sentinelmasterid: 'write the address of the primary',
}

// Where providers listen for TLS alone: Azure, and DigitalOcean.
const TLS_PORTS: readonly (number | undefined)[] = [6380, 25_061]

/**
 * Reads the URL of Redis or Valkey. The client library throws for some of what is refused here, at the first use, and
 * reads the rest differently without a word: it drops parameters, and logs in with no user unless there is a password.
 */
export function readRedisUrl(text: string): { url: string; encrypted: boolean } | { refused: readonly string[] } {
  const parts = takeApart(text, FORM)
  if ('refused' in parts) return { refused: [parts.refused] }
  const refused = [...parts.refusals, ...refuseLogin(parts), ...new Set(parts.parameters.map(([name]) => refuseParameter(name, parts, INSTEAD)))]
  if (parts.host === '') refused.push(`has no host: write ${EXAMPLE}`)
  if (parts.host.startsWith('/')) refused.push('has the folder of a socket for its host: write a name or an address')
  if (!/^(?:\d{1,9})?$/.test(decodePart('database index', parts.path, refused)))
    refused.push('has a database index that is no number: write one, as in /1')
  if (parts.scheme === 'redis' && takesOnlyTls(parts)) refused.push('has redis:// where the server takes only TLS: write rediss://')
  const url = `${parts.scheme}${text.trim().slice(parts.scheme.length)}`
  if (refused.length === 0 && !isRead(url, parts)) refused.push('has a host that is not plain ASCII: write it in its xn-- form')
  return refused.length > 0 ? { refused } : { url, encrypted: parts.scheme === 'rediss' }
}

function refuseLogin({ login, user, password }: UrlParts): string[] {
  if (!login || password !== '') return []
  return user === ''
    ? ['has an empty password: write it, or leave out what is before the host']
    : ['has a user and no password: write user:password@, or :password@ for a password alone']
}

// The client connects to what `new URL` makes of a host, which for this scheme is percent-encoded text.
function isRead(url: string, { host }: UrlParts): boolean {
  const read = URL.parse(url)?.hostname
  return read === host || host.includes(':')
}

// A name without a dot is inside a private network, where such a port means nothing.
function takesOnlyTls({ host, port }: UrlParts): boolean {
  return isManagedHost(host) || (TLS_PORTS.includes(port) && /[a-z]\.|\.[a-z]/i.test(host))
}
