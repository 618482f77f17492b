import { databaseGround } from '../ground.ts'
import { type Row } from '../row.ts'
import { MIDDLE } from '../workloads.ts'

const READ_ONLY = 'read only'

/** What an administrator may set for a database; the settings of a variant leave each other alone. */
const SETTINGS: Readonly<Record<string, readonly string[]>> = {
  styles: ["DateStyle TO 'SQL, DMY'", "IntervalStyle TO 'iso_8601'", "TimeZone TO 'Asia/Kolkata'", "client_encoding TO 'LATIN1'"],
  'other styles': ["DateStyle TO 'German, YMD'", "IntervalStyle TO 'sql_standard'", "TimeZone TO 'America/St_Johns'"],
  serializable: ['default_transaction_isolation TO serializable', 'default_transaction_deferrable TO on'],
  'repeatable read': ["default_transaction_isolation TO 'repeatable read'"],
  'search path': ['search_path TO elsewhere, public'],
  limits: ["statement_timeout TO '2s'", "lock_timeout TO '1s'", "idle_in_transaction_session_timeout TO '2s'"],
  'strings and bytes': [
    'standard_conforming_strings TO off',
    'backslash_quote TO off',
    'bytea_output TO escape',
    'array_nulls TO off',
    'transform_null_equals TO on',
  ],
  'numbers and words': ["extra_float_digits TO '-15'", "lc_numeric TO 'C'", "lc_messages TO 'C'", 'quote_all_identifiers TO on'],
  'row security and replication': ['row_security TO off', 'session_replication_role TO replica'],
  'asynchronous commit': ['synchronous_commit TO off'],
  'local commit': ['synchronous_commit TO local'],
  [READ_ONLY]: ['default_transaction_read_only TO on'],
}

const FAULTS = [
  { matches: MIDDLE, when: 'before' },
  { matches: MIDDLE, when: 'after' },
  { matches: 'COMMIT', when: 'before' },
  { matches: 'COMMIT', when: 'after' },
] as const

/** The database has other settings than ours: the promises hold in a calm and when connections are cut. */
export const otherSettings: Row = {
  number: 20,
  fault: 'settings of the database, and a cut in each phase',
  variants: Object.keys(SETTINGS),
  codes: ({ variant, kind }) => (variant === READ_ONLY && kind !== 'read' ? ['database-busy', 'database-unavailable', 'deadline-exceeded'] : []),
  ground: databaseGround,
  async scenario({ call, proxy, database, variant }) {
    for (const setting of SETTINGS[variant] ?? []) await database.query(`ALTER DATABASE ${database.name} SET ${setting}`)
    await call()
    for (const fault of FAULTS) {
      // A phase that this kind of work does not have is passed over.
      const added = proxy.addFault({ on: 'statement', ...fault, action: 'reset' })
      await call()
      added.remove()
    }
    await call()
  },
}
