import type { LocalSettings } from './limits.ts'

// Settings on which pg's parsers and Sequelize's literals depend. Everything else is the administrator's.

interface PinnedStyle {
  readonly name: string
  readonly value: string
  /** Whether values are read right under what a session announced. */
  readonly fits: (announced: string) => boolean
}

/**
 * No start-up parameters: PgBouncer knows `IntervalStyle` from 1.20 on, and refuses it before. The server reports `DateStyle`
 * with the order of day and month, which makes PgBouncer set a bare `ISO` again for every transaction. `ISO` alone keeps
 * the order.
 */
const STYLES: readonly PinnedStyle[] = [
  { name: 'IntervalStyle', value: 'postgres', fits: announced => announced === 'postgres' },
  { name: 'DateStyle', value: 'ISO', fits: announced => announced.startsWith('ISO') },
]

/** Of the start-up `options` of a direct connection. */
export const PINNED_OPTION = STYLES.map(({ name, value }) => `-c ${name}=${value}`).join(' ')

export interface PinOptions {
  /** Sequelize's option: `false` leaves the server's own. */
  readonly standardConformingStrings?: boolean | undefined
  /** As PostgreSQL writes it; `undefined` leaves the session's own. */
  readonly timeZone?: string | undefined
}

/**
 * Start-up parameters: they cost no round trip and win over what the role or the database has set. Every PgBouncer takes
 * these and brings each server connection to them. pg itself adds the encoding of the client.
 */
export function pinnedParameters({ standardConformingStrings = true, timeZone }: PinOptions): Readonly<Record<string, string>> {
  return {
    ...(standardConformingStrings && { standard_conforming_strings: 'on' }),
    ...(timeZone !== undefined && { TimeZone: timeZone }),
  }
}

/**
 * What each transaction has to bring along, because the session may not have it: one that a pooler lends, or one that
 * announced another value at log-in, since a pooler has dropped the options. What the application's own start-up options
 * set is left alone: it has parsers of its own then.
 */
export function pinnedLocally({ options, announced, pooled }: { options: unknown; announced: LocalSettings; pooled: boolean }): LocalSettings {
  const lacks = ({ name, fits }: PinnedStyle) => !sets(options, name) && (pooled || (name in announced && !fits(String(announced[name]))))
  return Object.fromEntries(STYLES.filter(lacks).map(({ name, value }) => [name, value]))
}

/** Whether start-up options set a value of the application's own. */
function sets(options: unknown, name: string): boolean {
  return typeof options === 'string' && options.replace(PINNED_OPTION, '').toLowerCase().includes(name.toLowerCase())
}
