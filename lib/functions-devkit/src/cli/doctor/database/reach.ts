import { lookup } from 'node:dns/promises'
import { connect, isIP } from 'node:net'
import type pg from 'pg'
import type { DatabaseSettings } from '../../../../../functions-runtime/src/database/settings.ts'
import { openConnection } from '../../connection.ts'
import { findingsOf, type Finding } from '../finding.ts'
import { isSilent } from '../silent.ts'
import { SilenceError, within } from '../within.ts'
import { TRUSTED } from './cures.ts'

/** How far one gets to a database; a client only when one is let in. */
export interface Reached {
  readonly client: pg.Client | undefined
  readonly findings: readonly Finding[]
  /** The server refuses what a direct connection begins with, as a pooler does. */
  readonly refusesStartUp: boolean
}

export interface ReachOptions {
  readonly settings: DatabaseSettings
  /** The variable for a part of the address, to name in a cure. */
  readonly variable: (part: 'HOST' | 'PORT' | 'NAME' | 'USER' | 'PASSWORD' | 'SSLMODE') => string
  /** Whether TLS with the first byte is understood there; asked only after a failure. */
  readonly takesDirectTls: () => Promise<boolean>
}

const LOOKUP_MS = 2_500
const PORT_MS = 2_500
const LOG_IN_MS = 3_500
// SSLRequest: a server, and a pooler, answers it with one byte.
const SSL_REQUEST = Buffer.from('0000000804d2162f', 'hex')

/** Goes the way of a function to the database, step by step, and stops at the first that fails. */
export async function reachDatabase(options: ReachOptions): Promise<Reached> {
  const { settings, variable } = options
  const stopped = (...findings: Finding[]): Reached => ({ client: undefined, findings, refusesStartUp: false })
  const address = findingsOf('address')
  const login = findingsOf('log-in')
  const named = isIP(settings.host) === 0 && !settings.host.startsWith('/')
  if (named) {
    try {
      await within(LOOKUP_MS, lookup(settings.host))
    } catch {
      return stopped(
        address.fail('the name of the database’s host does not resolve', `correct the host in ${variable('HOST')}; the database’s page shows it`),
      )
    }
  }
  const port = await within(PORT_MS, knock(settings)).catch((error: unknown) => error)
  if (port !== undefined) return stopped(explainPort(port, options))
  const reached = address.ok(named ? 'the host’s name resolves, and the port takes connections' : 'the port takes connections')
  // As a function begins, but for what only saves it a trip.
  const { idleSessionMs } = settings.profile
  const startUp = settings.pooled ? '' : `-c client_connection_check_interval=500 -c idle_session_timeout=${idleSessionMs}`
  try {
    const client = await openConnection(settings, { name: 'cli/doctor', withinMs: LOG_IN_MS, startUp })
    return { client, findings: [reached, login.ok('let in')], refusesStartUp: false }
  } catch (error) {
    if (isStartUpRefusal(error) && !settings.pooled) {
      try {
        const client = await openConnection(settings, { name: 'cli/doctor', withinMs: LOG_IN_MS, startUp: '' })
        return { client, findings: [reached, login.ok('let in')], refusesStartUp: true }
      } catch (again) {
        return stopped(reached, await explainLogIn(again, options))
      }
    }
    return stopped(reached, await explainLogIn(error, options))
  }
}

function knock({ host, port }: DatabaseSettings): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...(host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port }), timeout: PORT_MS })
    socket
      .once('connect', () => (socket.destroy(), resolve()))
      .once('timeout', () => (socket.destroy(), reject(new SilenceError('no answer'))))
      .once('error', error => (socket.destroy(), reject(error)))
  })
}

function explainPort(error: unknown, { variable }: ReachOptions): Finding {
  const { fail } = findingsOf('address')
  if (error instanceof SilenceError) return fail('the port of the database does not answer', `${TRUSTED}; then the port in ${variable('PORT')}`)
  if (codeOf(error) === 'ECONNREFUSED')
    return fail('nothing listens on the port of the database', `correct the port in ${variable('PORT')}: 25060, or 25061 for a connection pool`)
  return fail(`the database cannot be reached (${codeOf(error) ?? 'unknown'})`, `${TRUSTED}; then host and port in ${variable('HOST')}`)
}

async function explainLogIn(error: unknown, { settings, variable, takesDirectTls }: ReachOptions): Promise<Finding> {
  const tls = findingsOf('tls')
  const certificate = findingsOf('certificate')
  const login = findingsOf('log-in')
  const text = error instanceof Error ? error.message : ''
  switch (codeOf(error) ?? '') {
    case '28P01':
      return login.fail('the user or the password is wrong', `correct ${userAndPassword(variable)}; special characters of a URL are percent-encoded`)
    case '28000':
      return login.fail(
        'the server refuses this user from this address, or without TLS',
        `sslmode=require in ${variable('SSLMODE')}, or the user’s rights on the server`,
      )
    case '3D000':
      return login.fail('there is no database of that name', `correct the name in ${variable('NAME')}, or create the database`)
    case '42501':
      return login.fail('the user may not connect to the database', 'GRANT CONNECT ON DATABASE … TO the user')
    case '42704':
      return login.fail(
        'the server does not know idle_session_timeout: it is too old',
        'PostgreSQL 14 or later; 17 or later for DB_TLS_NEGOTIATION=direct',
      )
    case '53300':
      return login.fail(
        'the server has no connection left',
        'end idle sessions (the README shows who holds which), put a connection pool in between, or take a larger plan',
      )
    case '57P03':
      return login.fail('the server is starting, stopping or recovering', 'wait, and try again')
    case 'CERT_HAS_EXPIRED':
      return certificate.fail(
        'the server’s certificate, or its CA’s, has expired',
        'renew it on the server; DB_CA_CERT takes the CA’s new one from the database’s page',
      )
    case 'CERT_NOT_YET_VALID':
      return certificate.fail('the server’s certificate is not valid yet', 'set the clock of this machine')
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return certificate.fail(
        'the server’s certificate is for another host',
        `name the host in ${variable('HOST')} as the certificate does: its name and not its address`,
      )
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'CERT_SIGNATURE_FAILURE':
      return certificate.fail(
        'the server’s certificate is not from the CA in DB_CA_CERT',
        'put the CA certificate of this very database into DB_CA_CERT (Download CA certificate on its page)',
      )
    default:
  }
  if (await isSilent(settings, SSL_REQUEST)) {
    return login.fail(
      'the port takes the connection and says nothing',
      `${TRUSTED}; then whether the port in ${variable('PORT')} is the database’s, and whether the database is up`,
    )
  }
  if (/does not support SSL/.test(text))
    return tls.fail('the server speaks no TLS', `turn TLS on there; sslmode=disable in ${variable('SSLMODE')} only within one machine`)
  if (/error establishing an SSL connection/.test(text)) {
    return login.fail('what answers on the port is not PostgreSQL', `correct the port in ${variable('PORT')}: 25060, or 25061 for a connection pool`)
  }
  if (settings.tls.mode !== 'off' && settings.tls.negotiation === 'direct' && !(await takesDirectTls())) {
    return tls.fail('the server does not take TLS with the first byte', 'DB_TLS_NEGOTIATION=none; direct needs PostgreSQL 17 or later, and no pooler')
  }
  if (/no such database|does not exist/.test(text))
    return login.fail('the pooler has no database of that name', `correct the name in ${variable('NAME')}, or create the connection pool`)
  if (/authentication failed|SASL|no such user/i.test(text)) {
    return login.fail('the pooler refuses the user or the password', `correct ${userAndPassword(variable)}`)
  }
  if (/timeout/.test(text)) return login.fail('the server does not finish the log-in in time', 'look at the server’s log and load, then try again')
  if (/terminated/.test(text) || codeOf(error) === 'ECONNRESET') {
    return login.fail(
      'the server closes the connection before the log-in',
      `${TRUSTED}; then whether the port in ${variable('PORT')} is the database’s`,
    )
  }
  return login.fail(`not let in (${codeOf(error) ?? 'for no known reason'})`, `psql with the settings of ${variable('HOST')} shows more`)
}

// In a URL both are in one variable.
function userAndPassword(variable: ReachOptions['variable']): string {
  return [...new Set([variable('USER'), variable('PASSWORD')])].join(' and ')
}

function isStartUpRefusal(error: unknown): boolean {
  return codeOf(error) === '08P01' && /startup parameter/.test(String(error))
}

function codeOf(error: unknown): string | undefined {
  const { code, errors } = (error ?? {}) as { code?: string; errors?: readonly { code?: string }[] }
  return code ?? errors?.[0]?.code
}
