import type { DatabaseSettings } from '../../../../../functions-runtime/src/database/settings.ts'
import { ENCODING, ENCODING_CURE, encodingProblem, LEAST_POSTGRES } from '../../../../../resilient-sequelize/src/wire/supported-server.ts'
import { isOlder } from '../../../../../functions-runtime/src/version.ts'
import { judgeFit } from '../capacity.ts'
import { findingsOf, type Finding } from '../finding.ts'
import type { MigrationStates } from '../../migrate/state.ts'
import type { Facts } from './facts.ts'
import { LEAST_PGBOUNCER, type PoolMode } from './pooler.ts'

const NEWEST_DIRECT = 170_000
const CLOCK_WARN_MS = 2_000
const CLOCK_FAIL_MS = 30_000
const SLOW_TRIP_MS = 50

/** What becomes of the facts: one line for each thing that has to be so. */
export function judgeFacts(facts: Facts, { settings, containers }: { settings: DatabaseSettings; containers: number }): Finding[] {
  return [
    judgeVersion(facts, settings),
    judgeEncoding(facts),
    ...judgeRights(facts, settings),
    ...judgeDurability(facts),
    judgeConnections(facts, settings, containers),
    judgeClock(facts),
    judgeTrip(facts),
  ]
}

function judgeVersion({ version }: Facts, { tls }: DatabaseSettings): Finding {
  const { ok, fail } = findingsOf('version')
  const major = Math.floor(version / 10_000)
  if (version < LEAST_POSTGRES)
    return fail(
      `PostgreSQL ${major} is too old: it cannot end the sessions of paused containers`,
      `upgrade to PostgreSQL ${LEAST_POSTGRES / 10_000} or later`,
    )
  if (tls.mode !== 'off' && tls.negotiation === 'direct' && version < NEWEST_DIRECT)
    return fail(`PostgreSQL ${major} knows no direct TLS`, 'DB_TLS_NEGOTIATION=none')
  return ok(`PostgreSQL ${major}`)
}

function judgeEncoding({ encoding }: Facts): Finding {
  const { ok, fail } = findingsOf('encoding')
  return encoding === ENCODING ? ok(encoding) : fail(encodingProblem(encoding), ENCODING_CURE)
}

// What is confirmed has to survive a crash.
function judgeDurability({ synchronousCommit, fsync, fullPageWrites }: Facts): Finding[] {
  const { ok, warn } = findingsOf('durability')
  const weak = synchronousCommit === 'off' || synchronousCommit === 'local'
  const findings = [
    ...(fsync
      ? []
      : [warn('fsync is off: a crash of the server’s machine loses rows, or the whole database', 'fsync = on in the server’s settings')]),
    ...(fullPageWrites
      ? []
      : [warn('full_page_writes is off: a crash in the middle of a write can damage tables', 'full_page_writes = on in the server’s settings')]),
  ]
  if (findings.length > 0) return findings
  return [
    ok(
      weak ? `synchronous_commit is ${synchronousCommit}; the functions raise it for what they write` : `synchronous_commit is ${synchronousCommit}`,
    ),
  ]
}

function judgeRights({ superuser, standby, readOnly, schema, schemaExists, mayCreate, closedTables }: Facts, settings: DatabaseSettings): Finding[] {
  const { ok, warn, fail } = findingsOf('rights')
  const findings = [
    ...(schemaExists && schema === null
      ? [fail(`the user may not use the schema ${settings.schema}`, `GRANT USAGE, CREATE ON SCHEMA "${settings.schema}" TO the user`)]
      : []),
    ...(!schemaExists && !mayCreate
      ? [
          warn(
            `there is no schema ${settings.schema}, and the user may not create it`,
            `an administrator runs: CREATE SCHEMA "${settings.schema}" AUTHORIZATION the user; or DB_SCHEMA names another`,
          ),
        ]
      : []),
    ...(schema !== null && !mayCreate
      ? [
          warn(
            'the user may create no tables: only another user can migrate',
            `DB_MIGRATION_URL with that user, or GRANT CREATE ON SCHEMA "${settings.schema}" TO this one`,
          ),
        ]
      : []),
    ...(closedTables.length > 0
      ? [
          fail(
            `the user may not read and write ${closedTables.join(', ')}`,
            `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "${settings.schema}" TO the user`,
          ),
        ]
      : []),
    ...(standby ? [fail('the server takes no writes: it is a standby', 'the address of the primary in DB_CONNECTION_URL')] : []),
    ...(readOnly && !standby
      ? [
          fail(
            'the server takes no writes: default_transaction_read_only is on, as a provider sets it when the disk is full',
            'a larger disk, or ALTER DATABASE or ALTER ROLE … RESET default_transaction_read_only',
          ),
        ]
      : []),
    ...(superuser
      ? [
          warn(
            'the user is a superuser: whoever gets hold of a function has the whole server',
            'create a user for the functions, and own only their database with it',
          ),
        ]
      : []),
  ]
  return findings.length > 0 ? findings : [ok('what is needed, and no superuser')]
}

function judgeConnections({ maxConnections, reserved, sessions }: Facts, { pooled, profile }: DatabaseSettings, containers: number): Finding {
  const { ok, warn, fail } = findingsOf('connections')
  const crowdedAt = profile.crowdedAt === undefined ? 0 : profile.crowdedAt * 100
  const fit = judgeFit({ maxConnections, reserved }, { containers, poolMax: profile.pool.max, pooler: pooled ? 'transaction' : 'none', crowdedAt })
  const seen = `max_connections ${maxConnections}, ${fit.usable} of it usable, ${sessions} in use`
  switch (fit.verdict) {
    case 'warm':
      return ok(`${seen}: ${containers} containers keep theirs warm`)
    case 'pooled':
      return ok(`${seen}: ${containers} containers share what the pooler lends out`)
    case 'guarded':
      return warn(
        `${seen}: of ${containers} containers ${fit.held} keep theirs, and the others connect for each call and take turns`,
        'a connection pool in transaction mode, a larger plan, or fewer containers; it works as it is',
      )
    case 'impossible':
      return fail(
        `${seen}, too few for ${containers} containers: ${fit.reasons.join(' ')}`,
        'DB_CROWDED_AT=none and DB_POOL_MAX=none, a connection pool in transaction mode, or a larger plan',
      )
    default:
      return fit.verdict satisfies never
  }
}

function judgeClock({ aheadMs }: Facts): Finding {
  const { ok, warn, fail } = findingsOf('clock')
  const off = Math.abs(aheadMs)
  const words = `this machine's clock is ${Math.round(off / 100) / 10} s ${aheadMs > 0 ? 'behind' : 'ahead of'} the server's`
  const cure = 'set the clock by a time server; signatures are refused from 300 s on'
  if (off >= CLOCK_FAIL_MS) return fail(words, cure)
  return off >= CLOCK_WARN_MS ? warn(words, cure) : ok('agrees with the server’s')
}

function judgeTrip({ tripMs }: Facts): Finding {
  const { ok, warn } = findingsOf('trip')
  const words = `${tripMs.toFixed(1)} ms to the database and back`
  return tripMs < SLOW_TRIP_MS ? ok(words) : warn(`${words} from here; a webhook takes three or four`, 'put functions and database into one region')
}

/** Whether what is on the way to the server is what the settings say. */
export function judgePooler(
  mode: PoolMode,
  { settings, refusesStartUp, version }: { settings: DatabaseSettings; refusesStartUp: boolean; version: string | undefined },
): Finding {
  const { ok, warn, fail } = findingsOf('pooler')
  if (version !== undefined && isOlder(version, LEAST_PGBOUNCER))
    return fail(`PgBouncer ${version} is too old`, `PgBouncer ${LEAST_PGBOUNCER} or later`)
  switch (mode) {
    case 'none':
      return settings.pooled
        ? warn('DB_POOLER or the port says pooler, and the connection is direct', 'DB_POOLER=none, or the address of the connection pool')
        : ok('none: the connection is direct')
    case 'transaction':
      return settings.pooled
        ? ok(
            version === undefined
              ? 'in transaction mode; its version is shown to its administrators alone'
              : `PgBouncer ${version} in transaction mode`,
          )
        : warn(
            `in transaction mode, which no setting tells${refusesStartUp ? ': each new container is refused once before it knows' : ''}`,
            'DB_POOLER=transaction',
          )
    case 'session':
      return fail(
        'in session mode: every container keeps a connection of the server, and poolers have few',
        'set the pool to transaction mode, and DB_POOLER=transaction',
      )
    case 'statement':
      return fail('in statement mode: it allows no transaction', 'set the pool to transaction mode, and DB_POOLER=transaction')
    default:
      return mode satisfies never
  }
}

/** How far the database has come. */
export function judgeMigrations({ migrations, unknown }: MigrationStates): Finding[] {
  const { ok, warn, fail } = findingsOf('migrations')
  const named = (state: 'changed' | 'pending') => migrations.filter(one => one.state === state)
  const pending = named('pending')
  const breaking = pending.length === migrations.length ? [] : pending.filter(one => one.breaking)
  const findings = [
    ...(named('changed').length > 0
      ? [
          fail(
            `not what was applied under their names: ${named('changed')
              .map(({ name }) => name)
              .join(', ')}`,
            'git restore them; what is to be different is a new migration',
          ),
        ]
      : []),
    ...(unknown.length > 0
      ? [warn(`applied there, and not in this checkout: ${unknown.join(', ')}`, 'git pull: another checkout has newer ones')]
      : []),
    ...(breaking.length > 0
      ? [warn(`pending, and breaking for what is deployed: ${breaking.map(({ name }) => name).join(', ')}`, 'npm run deploy -- --allow-breaking')]
      : []),
    ...(pending.length > breaking.length
      ? [
          warn(
            `pending: ${pending
              .filter(one => !breaking.includes(one))
              .map(({ name }) => name)
              .join(', ')}`,
            'npm run deploy applies them, or npm run migrate -- up',
          ),
        ]
      : []),
  ]
  return findings.length > 0 ? findings : [ok(`all ${migrations.length} applied`)]
}
