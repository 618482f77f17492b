import type { Finding } from '../alerts/alert.ts'
import type { AlertThresholds } from '../settings/thresholds.ts'
import { DAY_MS } from './checks.ts'
import type { Asked, Look } from './look.ts'
import type { InboxFacts } from './metrics/fleet.ts'

export interface FindingsInput {
  readonly look: Look
  /** How often in a row the database has failed its check, this one included. */
  readonly databaseFailures: number
  /** By name and outcome, what the fleet has counted in the last interval. */
  readonly counted: Readonly<Record<string, number>> | undefined
  readonly inbox: InboxFacts | undefined
}

/** How everything stands that is watched for. What could not be seen has no figure, and changes nothing. */
export function findings({ look, databaseFailures, counted, inbox }: FindingsInput, limits: AlertThresholds): Finding[] {
  const database = seenOf(look.database)
  const server = database?.server
  const endsAt = database?.certificateEndsAt
  const buffer = seenOf(look.buffer)
  const full = look.database !== undefined && 'code' in look.database && look.database.crowded
  const lately = (key: string) => (counted === undefined ? undefined : (counted[key] ?? 0))
  return [
    {
      kind: 'database-unavailable',
      severity: 'critical',
      summary: 'The database fails its health check.',
      observed: look.database === undefined ? undefined : databaseFailures,
      threshold: limits.databaseFailures,
    },
    {
      kind: 'retries-high',
      severity: 'warning',
      summary: 'Operations had to be tried again often lately.',
      observed: lately('retries'),
      threshold: limits.retries,
    },
    {
      kind: 'fallbacks-high',
      severity: 'warning',
      summary: 'Safe-executed work failed often lately.',
      observed: lately('fallbacks'),
      threshold: limits.fallbacks,
    },
    {
      kind: 'pool-exhausted',
      severity: 'warning',
      summary: 'Operations got no connection, or their locks, in time lately.',
      observed: lately('operations database-busy'),
      threshold: limits.poolExhausted,
    },
    {
      kind: 'breaker-open',
      severity: 'critical',
      summary: 'Circuit breakers opened lately.',
      observed: lately('breaker-changes open'),
      threshold: limits.breakerOpened,
    },
    {
      kind: 'events-parked',
      severity: 'warning',
      summary: 'Events are parked and wait for a person.',
      observed: inbox === undefined ? undefined : inbox.parked + (buffer?.parked ?? 0),
      threshold: limits.parkedEvents,
    },
    {
      kind: 'event-overdue',
      severity: 'critical',
      summary: 'An event has been due for long (in seconds): nothing tries it.',
      observed: inbox === undefined ? undefined : Math.floor(inbox.oldestDueMs / 1000),
      threshold: limits.eventAgeMs / 1000,
    },
    {
      kind: 'buffer-filling',
      severity: 'critical',
      summary: 'The outage buffer fills up (in per cent).',
      observed: buffer?.percent,
      threshold: limits.bufferPercent,
    },
    {
      kind: 'buffer-stuck',
      severity: 'critical',
      summary: 'An event has waited in the outage buffer for long (in seconds): nothing drains it.',
      observed: buffer === undefined ? undefined : Math.floor(buffer.oldestMs / 1000),
      threshold: limits.bufferAgeMs / 1000,
    },
    {
      kind: 'certificate-expiring',
      severity: 'warning',
      summary: "The database's certificate ends soon (in days).",
      observed: endsAt === undefined ? undefined : Math.floor((endsAt - Date.parse(look.time)) / DAY_MS),
      threshold: limits.certificateDays,
      falling: true,
    },
    {
      kind: 'connections-high',
      severity: 'warning',
      summary: "Most of the server's connections are in use (in per cent).",
      observed: full ? 100 : server === undefined ? undefined : Math.round((server.sessions * 100) / Math.max(1, server.capacity)),
      threshold: limits.connectionsPercent,
    },
  ]
}

function seenOf<Seen>(asked: Asked<Seen> | undefined): Seen | undefined {
  return asked !== undefined && 'seen' in asked ? asked.seen : undefined
}
