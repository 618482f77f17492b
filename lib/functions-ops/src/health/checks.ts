import type { AlertThresholds } from '../settings/thresholds.ts'
import type { SettingIssue } from '../../../functions-runtime/src/settings/settings.ts'
import type { ConnectionStatus } from '../../../resilient-sequelize/src/pool/manager.ts'
import type { Check, CheckStatus } from './check.ts'
import type { Asked, Look } from './look.ts'
import type { DatabaseLook } from './questions.ts'

export const DAY_MS = 24 * 60 * 60 * 1000
const MISSED_RUNS = 3

/** URLs by the service that they need. */
export interface Endpoints {
  readonly database: readonly string[]
  readonly buffer: readonly string[]
}

export interface ChecksOptions {
  readonly look: Look
  readonly issues: readonly SettingIssue[]
  readonly everyMs: number
  readonly thresholds: AlertThresholds
  readonly endpoints: Endpoints
}

/** Whether everything is there that calls need. */
export function readyChecks({ look, issues, everyMs, thresholds, endpoints }: ChecksOptions): Check[] {
  const { time, database, buffer } = look
  const names = [...new Set(issues.map(({ variable }) => variable))]
  return [
    {
      name: 'settings:variables',
      componentType: 'component',
      status: issues.length === 0 ? 'pass' : 'fail',
      ...(issues.length === 0 ? {} : { observedValue: names.join(' '), output: 'settings-invalid' }),
      affectedEndpoints: endpoints.database,
      time,
    },
    databaseCheck(database, time, endpoints),
    migrationsCheck(database, time, endpoints),
    scheduleCheck(database, time, everyMs),
    ...(buffer === undefined ? [] : [...bufferChecks(look, thresholds, endpoints)]),
  ]
}

/** Everything that is known of the database and of this container's pool. */
export function databaseChecks({ look, thresholds, endpoints }: ChecksOptions, status: ConnectionStatus | undefined): Check[] {
  const { time, database } = look
  return [
    databaseCheck(database, time, endpoints),
    ...serverChecks(database, time, thresholds),
    ...(status === undefined ? [] : poolChecks(status, time)),
  ]
}

function databaseCheck(database: Look['database'], time: string, endpoints: Endpoints): Check {
  const base = { name: 'database:responseTime', componentType: 'datastore', affectedEndpoints: endpoints.database, time } as const
  if (database === undefined) return { ...base, status: 'unknown', output: 'settings-invalid' }
  const measured = { ...base, observedValue: database.ms, observedUnit: 'ms' }
  // A full server is a queue, and no outage.
  if ('code' in database) return { ...measured, status: database.crowded ? 'warn' : 'fail', output: database.code }
  return { ...measured, ...(database.seen.server.writable ? { status: 'pass' } : { status: 'fail', output: 'read-only' }) }
}

function migrationsCheck(database: Look['database'], time: string, endpoints: Endpoints): Check {
  const base = { name: 'database:migrations', componentType: 'datastore', affectedEndpoints: endpoints.database, time } as const
  const { migrations } = seenOf(database) ?? { migrations: { unseen: codeOfAsked(database) } }
  if ('unseen' in migrations) return { ...base, status: 'unknown', output: migrations.unseen }
  const pending = migrations.pending.length
  return { ...base, status: pending === 0 ? 'pass' : 'fail', observedValue: pending, observedUnit: 'pending' }
}

function scheduleCheck(database: Look['database'], time: string, everyMs: number): Check {
  const base = { name: 'schedule:lastRun', componentType: 'system', time, affectedEndpoints: ['alerts'] } as const
  const { schedule } = seenOf(database) ?? { schedule: { unseen: codeOfAsked(database) } }
  if ('unseen' in schedule) return { ...base, status: 'unknown', output: schedule.unseen }
  const ageMs = schedule.lastAgeMs ?? schedule.tableAgeMs
  const vanished = ageMs !== null && ageMs > MISSED_RUNS * everyMs
  const known: CheckStatus = schedule.lastAgeMs === null ? 'unknown' : 'pass'
  return {
    ...base,
    status: vanished ? 'warn' : known,
    observedValue: schedule.lastAgeMs === null ? null : Math.round(schedule.lastAgeMs / 1000),
    observedUnit: 's',
    ...(vanished ? { output: 'schedule-vanished' } : {}),
  }
}

function bufferChecks({ buffer, time }: Look, { bufferPercent }: AlertThresholds, endpoints: Endpoints): Check[] {
  if (buffer === undefined) return []
  const base = { componentType: 'datastore', vital: false, affectedEndpoints: endpoints.buffer, time } as const
  const responseTime = { ...base, name: 'redis:responseTime', observedValue: buffer.ms, observedUnit: 'ms' }
  if ('code' in buffer) return [{ ...responseTime, status: 'fail', output: buffer.code }]
  const { waiting, parked, percent } = buffer.seen
  return [
    { ...responseTime, status: 'pass' },
    { ...base, name: 'buffer:utilization', status: percent >= bufferPercent ? 'warn' : 'pass', observedValue: percent, observedUnit: 'percent' },
    { ...base, name: 'buffer:waiting', status: 'pass', observedValue: waiting, observedUnit: 'events' },
    { ...base, name: 'buffer:parked', status: parked === 0 ? 'pass' : 'warn', observedValue: parked, observedUnit: 'events' },
  ]
}

function serverChecks(database: Look['database'], time: string, { connectionsPercent, certificateDays }: AlertThresholds): Check[] {
  const seen = seenOf(database)
  const base = { componentType: 'datastore', time } as const
  if (seen === undefined) {
    const output = codeOfAsked(database)
    return ['connections', 'role', 'version', 'certificate'].map(name => ({ ...base, name: `database:${name}`, status: 'unknown', output }))
  }
  const { server, certificateEndsAt } = seen
  const days = certificateEndsAt === undefined ? undefined : Math.floor((certificateEndsAt - Date.parse(time)) / DAY_MS)
  const crowded = server.sessions * 100 >= server.capacity * connectionsPercent
  return [
    { ...base, name: 'database:connections', status: crowded ? 'warn' : 'pass', observedValue: server.sessions, observedUnit: 'connections' },
    { ...base, name: 'database:connectionLimit', status: 'pass', observedValue: server.capacity, observedUnit: 'connections' },
    { ...base, name: 'database:role', status: server.role === 'primary' ? 'pass' : 'fail', observedValue: server.role },
    { ...base, name: 'database:version', status: 'pass', observedValue: server.version },
    {
      ...base,
      name: 'database:certificate',
      status: days === undefined ? 'unknown' : days <= certificateDays ? 'warn' : 'pass',
      observedValue: days ?? null,
      observedUnit: 'days',
    },
  ]
}

// What this container has: none of it fails by itself, the statement decides.
function poolChecks(status: ConnectionStatus, time: string): Check[] {
  const { pool, generation, breaker, lastErrorCode, lastFailureAt, lastSuccessAt } = status
  const base = { componentType: 'component', time } as const
  const gauge = (name: string, observedValue: number): Check => ({ ...base, name, status: 'pass', observedValue, observedUnit: 'connections' })
  const instant = (at: number | undefined) => (at === undefined ? null : new Date(at).toISOString())
  const full = pool.inUse >= pool.max
  return [
    { ...gauge('pool:inUse', pool.inUse), status: full ? 'warn' : 'pass', ...(full ? { output: 'pool-full' } : {}) },
    gauge('pool:idle', pool.idle),
    gauge('pool:waiting', pool.waiting),
    gauge('pool:max', pool.max),
    { ...base, name: 'pool:generation', status: 'pass', observedValue: generation },
    { ...base, name: 'breaker:state', status: breaker === 'closed' ? 'pass' : 'warn', observedValue: breaker },
    { ...base, name: 'database:lastError', status: 'pass', observedValue: lastErrorCode ?? null },
    { ...base, name: 'database:lastErrorTime', status: 'pass', observedValue: instant(lastFailureAt) },
    { ...base, name: 'database:lastSuccessTime', status: 'pass', observedValue: instant(lastSuccessAt) },
  ]
}

function seenOf<Seen>(asked: Asked<Seen> | undefined): Seen | undefined {
  return asked !== undefined && 'seen' in asked ? asked.seen : undefined
}

function codeOfAsked(database: Asked<DatabaseLook> | undefined): string {
  if (database === undefined) return 'settings-invalid'
  return 'code' in database ? database.code : 'unknown'
}
