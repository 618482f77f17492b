import type { LocalSettings } from './limits.ts'

// Settings on which pg's parsers and Sequelize's literals depend. Everything else is the administrator's.

const DATE_STYLE = 'DateStyle'
/** The one that a pooler need not know: PgBouncer keeps track of it from 1.20 on, and refuses it as a parameter before. */
const INTERVAL_STYLE = 'IntervalStyle'
const INTERVALS = 'postgres'

/** Of the start-up `options` of a direct connection. */
export const PINNED_OPTION = `-c ${INTERVAL_STYLE}=${INTERVALS}`

const PINNED_LOCALLY: LocalSettings = { [INTERVAL_STYLE]: INTERVALS }
const NONE: LocalSettings = {}

export interface PinOptions {
  /** Sequelize's option: `false` leaves the server's own. */
  readonly standardConformingStrings?: boolean | undefined
  /** As PostgreSQL writes it; `undefined` leaves the session's own. */
  readonly timeZone?: string | undefined
}

/**
 * Start-up parameters: they cost no round trip and win over what the role or the database has set. Every PgBouncer takes
 * these and brings each server connection to them. `ISO` alone keeps the order of day and month. pg itself adds the
 * encoding of the client.
 */
export function pinnedParameters({ standardConformingStrings = true, timeZone }: PinOptions): Readonly<Record<string, string>> {
  return {
    [DATE_STYLE]: 'ISO',
    ...(standardConformingStrings && { standard_conforming_strings: 'on' }),
    ...(timeZone !== undefined && { TimeZone: timeZone }),
  }
}

/** The parameters without a date style that the application's own start-up options set: it has parsers of its own then. */
export function withoutOwn(parameters: Readonly<Record<string, string>>, options: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => name !== DATE_STYLE || !sets(options, name)))
}

/**
 * What each transaction has to bring along, because the session may not have it: one that a pooler lends, or one that
 * announced another value at log-in, since a pooler has dropped the options.
 */
export function pinnedLocally({ options, announced, pooled }: { options: unknown; announced: string | undefined; pooled: boolean }): LocalSettings {
  if (sets(options, INTERVAL_STYLE)) return NONE
  return pooled || (announced !== undefined && announced !== INTERVALS) ? PINNED_LOCALLY : NONE
}

/** Whether start-up options set a value of the application's own. */
function sets(options: unknown, name: string): boolean {
  return typeof options === 'string' && options.replace(PINNED_OPTION, '').toLowerCase().includes(name.toLowerCase())
}
