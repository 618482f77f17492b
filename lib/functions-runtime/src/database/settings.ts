import { readCertificates } from '../settings/certificates.ts'
import { DEFAULT_PORT, NO_VERIFY, parseDatabaseUrl, type DatabaseAddress } from '../settings/database-url.ts'
import { integer, oneOf, optionalInteger, optionalText, schemaName } from '../settings/schemas.ts'
import { readHost, refuseName, refusePassword } from '../settings/server-url.ts'
import { defineSettings, SettingIssues, takeOrReport, type SettingIssue } from '../settings/settings.ts'
import { profiles, type PoolSettings, type Profile } from '../../../resilient-sequelize/src/pool/profile.ts'
import { decideTls, sslModes, tlsNegotiations, type SslMode, type Tls, type TlsNegotiation } from '../settings/tls.ts'

/** Everything that is needed to connect. */
export interface DatabaseSettings {
  readonly host: string
  readonly port: number
  readonly name: string
  readonly user: string
  readonly password: string
  /** The schema that all our tables are in. */
  readonly schema: string
  readonly tls: Tls
  /** Whether it is reached through a pooler that lends a server's session for one transaction at a time. */
  readonly pooled: boolean
  readonly profile: Profile
  /** An operation that takes longer is told of, in ms. */
  readonly slowOperationMs: number
}

// Where DigitalOcean's connection pools listen; the database itself does on the port below.
const POOLER_PORT = 25_061
const SLOW_OPERATION_MS = 1_000
const PARTS = ['DB_HOST', 'DB_PORT', 'DB_NAME', 'DB_USER', 'DB_PASSWORD'] as const
const NO_PARTS = { DB_HOST: undefined, DB_PORT: undefined, DB_NAME: undefined, DB_USER: undefined, DB_PASSWORD: undefined }

const addressVariables = {
  DB_CONNECTION_URL: optionalText(),
  DB_HOST: optionalText(),
  DB_PORT: optionalInteger({ min: 1, max: 65_535 }),
  DB_NAME: optionalText(),
  DB_USER: optionalText(),
  DB_PASSWORD: optionalText(),
  DB_SSLMODE: oneOf([...sslModes, 'unset'], 'unset', { 'no-verify': `is ${NO_VERIFY}` }),
  DB_CA_CERT: optionalText(),
  DB_TLS_NEGOTIATION: oneOf(tlsNegotiations, 'postgres'),
  DB_SCHEMA: schemaName('public'),
}

const profileVariables = {
  DB_POOLER: oneOf(['transaction', 'unset'], 'unset'),
  DB_PROFILE: oneOf(['function', 'server'], 'function'),
  DB_POOL_MAX: optionalInteger({ min: 1, max: 1000 }),
  DB_POOL_MIN: optionalInteger({ min: 0, max: 1000 }),
  DB_POOL_ACQUIRE_MS: optionalInteger({ min: 100, max: 600_000 }),
  DB_POOL_IDLE_MS: optionalInteger({ min: 1000, max: 3_600_000 }),
  DB_POOL_EVICT_MS: optionalInteger({ min: 100, max: 3_600_000 }),
  DB_IDLE_SESSION_MS: optionalInteger({ min: 0, max: 86_400_000 }),
  DB_CROWDED_AT: optionalInteger({ min: 0, max: 100 }),
  SLOW_OPERATION_MS: integer({ min: 1, max: 600_000, fallback: SLOW_OPERATION_MS }),
}

interface AddressValues {
  readonly DB_CONNECTION_URL: string | undefined
  readonly DB_HOST: string | undefined
  readonly DB_PORT: number | undefined
  readonly DB_NAME: string | undefined
  readonly DB_USER: string | undefined
  readonly DB_PASSWORD: string | undefined
  readonly DB_SSLMODE: SslMode | 'unset'
  readonly DB_CA_CERT: string | undefined
  readonly DB_TLS_NEGOTIATION: TlsNegotiation
}

/** The database that the functions work on. */
export const databaseSettings = defineSettings({ ...addressVariables, ...profileVariables }, (values): DatabaseSettings => {
  const issues: SettingIssue[] = []
  const address = addressOf(values, 'DB_CONNECTION_URL', values.DB_CONNECTION_URL, issues)
  const base = profiles[values.DB_PROFILE]
  const pool: PoolSettings = {
    max: values.DB_POOL_MAX ?? base.pool.max,
    // Whoever makes the pool smaller than the profile's smallest means that, too.
    min: values.DB_POOL_MIN ?? Math.min(base.pool.min, values.DB_POOL_MAX ?? base.pool.max),
    acquireMs: values.DB_POOL_ACQUIRE_MS ?? base.pool.acquireMs,
    idleMs: values.DB_POOL_IDLE_MS ?? base.pool.idleMs,
    evictMs: values.DB_POOL_EVICT_MS ?? base.pool.evictMs,
  }
  if (pool.min > pool.max) issues.push({ variable: 'DB_POOL_MIN', reason: 'is more than DB_POOL_MAX' })
  if (address === undefined || issues.length > 0) throw new SettingIssues(issues)
  const profile: Profile = {
    ...base,
    pool: Object.freeze(pool),
    idleSessionMs: values.DB_IDLE_SESSION_MS ?? base.idleSessionMs,
    crowdedAt: shareOf(values.DB_CROWDED_AT, base.crowdedAt),
  }
  const pooled = values.DB_POOLER === 'transaction' || address.port === POOLER_PORT
  return Object.freeze({ ...address, schema: values.DB_SCHEMA, pooled, profile: Object.freeze(profile), slowOperationMs: values.SLOW_OPERATION_MS })
})

/** The database as migrations reach it: `DB_MIGRATION_URL` if set, since they cannot go through a transaction pooler. */
export const migrationSettings = defineSettings({ ...addressVariables, DB_MIGRATION_URL: optionalText() }, (values): DatabaseSettings => {
  const issues: SettingIssue[] = []
  // The direct connection takes the place of the main one, in whichever form that is given.
  const address =
    values.DB_MIGRATION_URL === undefined
      ? addressOf(values, 'DB_CONNECTION_URL', values.DB_CONNECTION_URL, issues)
      : addressOf({ ...values, ...NO_PARTS }, 'DB_MIGRATION_URL', values.DB_MIGRATION_URL, issues)
  if (address === undefined || issues.length > 0) throw new SettingIssues(issues)
  const profile: Profile = { ...profiles.function, idleSessionMs: 0, crowdedAt: undefined }
  return Object.freeze({ ...address, schema: values.DB_SCHEMA, pooled: false, profile, slowOperationMs: SLOW_OPERATION_MS })
})

// Per cent; 0 switches the guard off.
function shareOf(percent: number | undefined, byDefault: number | undefined): number | undefined {
  if (percent === undefined) return byDefault
  return percent === 0 ? undefined : percent / 100
}

type Address = Omit<DatabaseAddress, 'sslmode'> & { tls: Tls }

function addressOf(values: AddressValues, urlVariable: string, url: string | undefined, issues: SettingIssue[]): Address | undefined {
  const address = url === undefined ? addressFromParts(values, issues) : addressFromUrl(values, urlVariable, url, issues)
  const ca = values.DB_CA_CERT === undefined ? undefined : takeOrReport('DB_CA_CERT', readCertificates(values.DB_CA_CERT), issues)
  if (address === undefined) return undefined
  const { sslmode, ...rest } = address
  const tls = decideTls({ host: rest.host, sslmode, ca: ca?.pem })
  const negotiation = values.DB_TLS_NEGOTIATION
  if (!('refused' in tls)) {
    if (tls.mode !== 'off') return { ...rest, tls: { ...tls, negotiation } }
    if (negotiation === 'direct') issues.push({ variable: 'DB_TLS_NEGOTIATION', reason: 'asks for direct TLS where the connection has none' })
    return { ...rest, tls }
  }
  const variable = tls.variable === 'ca' ? 'DB_CA_CERT' : wishedMode(values) === undefined ? urlVariable : 'DB_SSLMODE'
  issues.push({ variable, reason: tls.refused })
  return undefined
}

function addressFromUrl(values: AddressValues, variable: string, url: string, issues: SettingIssue[]): DatabaseAddress | undefined {
  for (const part of PARTS) {
    if (values[part] !== undefined) issues.push({ variable: part, reason: `is set beside ${variable}: only one of the two can hold` })
  }
  const address = takeOrReport(variable, parseDatabaseUrl(url), issues)?.address
  if (address === undefined) return undefined
  const wished = wishedMode(values)
  if (wished !== undefined && address.sslmode !== undefined && wished !== address.sslmode) {
    issues.push({ variable: 'DB_SSLMODE', reason: `contradicts the sslmode in ${variable}: leave one of them out` })
  }
  return { ...address, sslmode: address.sslmode ?? wished }
}

function addressFromParts(values: AddressValues, issues: SettingIssue[]): DatabaseAddress | undefined {
  const parts = { DB_HOST: values.DB_HOST, DB_NAME: values.DB_NAME, DB_USER: values.DB_USER, DB_PASSWORD: values.DB_PASSWORD }
  const missing = Object.entries(parts).filter(([, value]) => value === undefined)
  if (missing.length === Object.keys(parts).length) {
    issues.push({ variable: 'DB_CONNECTION_URL', reason: 'is missing, and so are DB_HOST, DB_NAME, DB_USER and DB_PASSWORD' })
    return undefined
  }
  const before = issues.length
  for (const [variable] of missing) issues.push({ variable, reason: 'is missing' })
  const { DB_HOST: host = '', DB_NAME: name = '', DB_USER: user = '', DB_PASSWORD: password = '' } = parts
  const read = takeOrReport('DB_HOST', readHost(host), issues)
  const refusals = { DB_NAME: refuseName(name), DB_USER: refuseName(user), DB_PASSWORD: refusePassword(password) }
  for (const [variable, reason] of Object.entries(refusals)) if (reason !== undefined) issues.push({ variable, reason })
  if (read === undefined || issues.length > before) return undefined
  return { host: read.host, port: values.DB_PORT ?? DEFAULT_PORT, name, user, password, sslmode: wishedMode(values) }
}

function wishedMode(values: AddressValues): SslMode | undefined {
  return values.DB_SSLMODE === 'unset' ? undefined : values.DB_SSLMODE
}
