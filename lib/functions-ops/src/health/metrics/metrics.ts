import type { ConnectionStatus } from '../../../../resilient-sequelize/src/pool/manager.ts'
import type { BufferStand } from '../../../../webhook-inbox/src/buffer/stand.ts'
import type { NamedPool, PoolStatus } from '../../../../functions-runtime/src/edge/define.ts'
import type { CounterDescription } from '../../../../functions-runtime/src/telemetry/counters.ts'
import type { Asked } from '../look.ts'
import type { DatabaseLook } from '../questions.ts'
import { counterFamilies } from './counter-families.ts'
import type { MetricFamily, Sample } from './exposition.ts'
import type { FleetFacts } from './fleet.ts'

export interface MetricsInput {
  readonly database: Asked<DatabaseLook & { readonly fleet: FleetFacts }> | undefined
  readonly buffer: Asked<BufferStand> | undefined
  /** Of what the buffer may hold. */
  readonly bufferLimitBytes: number | undefined
  readonly status: ConnectionStatus | undefined
  /** Whether this process is a long-lived one, whose pool is worth showing. */
  readonly longLived: boolean
  /** What is counted. */
  readonly described: readonly CounterDescription[]
  /** The pools of all of its functions, where it serves several. */
  readonly pools?: readonly NamedPool[]
}

const BREAKER_STATES = ['closed', 'open', 'probing'] as const

/** All metrics, with what could be seen; `functions_database_up` tells whether the database was. */
export function metricFamilies({ database, buffer, bufferLimitBytes, status, longLived, described, pools = [] }: MetricsInput): MetricFamily[] {
  const seen = database !== undefined && 'seen' in database ? database.seen : undefined
  const stand = buffer !== undefined && 'seen' in buffer ? buffer.seen : undefined
  const counters = seen === undefined || 'unseen' in seen.fleet.counters ? [] : seen.fleet.counters
  const inbox = seen === undefined || 'unseen' in seen.fleet.inbox ? undefined : seen.fleet.inbox
  const lastAgeMs = seen === undefined || 'unseen' in seen.schedule ? null : seen.schedule.lastAgeMs
  const certificateMs = seen?.certificateEndsAt
  return [
    gauge('functions_database_up', 'Whether the database answered this scrape.', seen === undefined ? 0 : 1),
    gauge('functions_database_response_seconds', 'Time of the statements behind this scrape, connecting included.', seconds(database?.ms)),
    gauge('functions_database_connections', 'Connections that clients hold on the server.', seen?.server.sessions),
    gauge('functions_database_connections_limit', 'Connections that ordinary users may hold.', seen?.server.capacity),
    gauge('functions_database_certificate_expiry_timestamp_seconds', "End of the server's certificate.", seconds(certificateMs)),
    gauge('functions_events_parked', 'Events that wait for a person.', inbox?.parked),
    gauge('functions_events_due', 'Events that are due to be tried again.', inbox?.due),
    gauge('functions_events_oldest_due_seconds', 'For how long the oldest due event has been due.', seconds(inbox?.oldestDueMs)),
    gauge('functions_buffer_up', 'Whether the outage buffer answered this scrape.', buffer === undefined ? undefined : stand === undefined ? 0 : 1),
    gauge('functions_buffer_events', 'Events in the outage buffer.', stand?.waiting),
    gauge('functions_buffer_parked', 'Entries of the outage buffer that wait for a person.', stand?.parked),
    gauge('functions_buffer_oldest_seconds', 'For how long the oldest event has waited in the outage buffer.', seconds(stand?.oldestMs)),
    gauge('functions_buffer_bytes', 'What the outage buffer holds.', stand?.bytes),
    gauge('functions_buffer_limit_bytes', 'What the outage buffer may hold.', bufferLimitBytes),
    gauge('functions_last_check_age_seconds', 'Age of the last scheduled check.', seconds(lastAgeMs ?? undefined)),
    {
      name: 'functions_breaker_state',
      type: 'gauge',
      help: 'State of the circuit breaker of the process that answers this scrape.',
      samples: status === undefined ? [] : BREAKER_STATES.map(state => ({ labels: { state }, value: state === status.breaker ? 1 : 0 })),
    },
    ...(longLived ? poolFamilies(pools.length > 0 ? pools : status === undefined ? [] : [status]) : []),
    ...counterFamilies(counters, described),
  ]
}

function poolFamilies(pools: readonly (PoolStatus | NamedPool)[]): MetricFamily[] {
  // One that is alone in its process has no name.
  const labelsOf = (pool: PoolStatus | NamedPool) => ('function' in pool ? { function: pool.function } : {})
  const family = (name: string, help: string, valueOf: (pool: PoolStatus) => number): MetricFamily => ({
    name,
    type: 'gauge',
    help,
    samples: pools.map(pool => ({ labels: labelsOf(pool), value: valueOf(pool) })),
  })
  const states = pools.flatMap((pool): Sample[] => [
    { labels: { ...labelsOf(pool), state: 'in_use' }, value: pool.pool.inUse },
    { labels: { ...labelsOf(pool), state: 'idle' }, value: pool.pool.idle },
  ])
  return [
    { name: 'functions_pool_connections', type: 'gauge', help: 'Connections of this process.', samples: states },
    family('functions_pool_connections_limit', 'Connections that this process may have.', ({ pool }) => pool.max),
    family('functions_pool_waiting', 'Calls that wait for a connection.', ({ pool }) => pool.waiting),
    family('functions_pool_generation', 'How often this process has built its pool.', ({ generation }) => generation),
  ]
}

function gauge(name: string, help: string, value: number | undefined): MetricFamily {
  return { name, type: 'gauge', help, samples: value === undefined ? [] : [{ value }] }
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000
}
