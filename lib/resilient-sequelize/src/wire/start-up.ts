import type { ResilientOptions } from '../options.ts'
import type { Profile } from '../pool/profile.ts'
import { LOST_CLIENT_OPTIONS } from './limits.ts'
import { PINNED_OPTION } from './pinned-settings.ts'

/**
 * The `options` of a direct connection's start-up message: they cost no round trip. What a paused or lost container leaves
 * behind, the server ends by itself. `own` are the application's, from its options or its URL: they come last, so that they win.
 */
export function startUpOptions(
  { dialectOptions, resilience, clientMinMessages: outdated }: ResilientOptions & { clientMinMessages?: string | boolean | undefined },
  { idleSessionMs }: Profile,
  own?: unknown,
): string {
  const { clientMinMessages = outdated ?? 'warning' } = (dialectOptions ?? {}) as { clientMinMessages?: string | boolean }
  const transactionIdleMs = resilience?.transactionIdleMs ?? 0
  return [
    PINNED_OPTION,
    LOST_CLIENT_OPTIONS,
    ...(transactionIdleMs > 0 ? [`-c idle_in_transaction_session_timeout=${transactionIdleMs}`] : []),
    ...(idleSessionMs > 0 ? [`-c idle_session_timeout=${idleSessionMs}`] : []),
    ...(typeof clientMinMessages === 'string' && clientMinMessages.toLowerCase() !== 'ignore' ? [`-c client_min_messages=${clientMinMessages}`] : []),
    ...(typeof own === 'string' ? [own] : []),
  ].join(' ')
}

/**
 * Sequelize's option `timezone` as a start-up parameter: a zone's name as it is, an offset as PostgreSQL itself writes what
 * `SET TIME ZONE INTERVAL '+02:00' HOUR TO MINUTE` sets. POSIX counts offsets to the west.
 */
export function timeZoneParameter(timezone: string): string {
  const offset = /^([+-])(\d{1,2}):(\d{2})$/.exec(timezone)
  if (offset === null) return timezone
  const [, sign = '+', hours = '00', minutes = '00'] = offset
  const shown = `${hours.padStart(2, '0')}${minutes === '00' ? '' : `:${minutes}`}`
  return `<${sign}${shown}>${sign === '+' ? '-' : '+'}${shown}`
}
