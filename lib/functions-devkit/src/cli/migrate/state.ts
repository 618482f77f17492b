import type pg from 'pg'
import { OF_SETTINGS } from '../../../../functions-runtime/src/database/migrate.ts'
import { digestOf } from '../../../../resilient-sequelize/src/migrate/digest.ts'
import { findMigrationsTable, isForeign, nameOfTable, TABLE } from '../../../../resilient-sequelize/src/migrate/migrations-table.ts'
import { namesTaken } from '../../../../resilient-sequelize/src/migrate/taken-names.ts'
import { application } from '../../application.ts'
import type { Migration } from '../../../../resilient-sequelize/src/migrate/migration.ts'

/** How a migration of this checkout stands to a database: `changed` when it is not what was applied there under its name. */
export interface MigrationState {
  readonly name: string
  readonly state: 'applied' | 'changed' | 'pending'
  readonly breaking: boolean
  readonly appliedAt: Date | undefined
}

export interface MigrationStates {
  readonly migrations: readonly MigrationState[]
  /** Names of those applied there that this checkout does not have. */
  readonly unknown: readonly string[]
}

interface AppliedMigration {
  readonly name: string
  readonly applied_at: Date
  readonly digest: string | null
}

/**
 * Compares the migrations of this checkout with what the database says of itself. Changes nothing.
 * @throws CodedError `names-taken` when another tool has a table of that name.
 */
export async function readMigrationStates(
  client: Pick<pg.Client, 'query'>,
  schema: string,
  migrations: readonly Migration[] = application.migrations,
): Promise<MigrationStates> {
  const known = new Set(migrations.map(({ name }) => name))
  const applied = new Map((await readApplied(client, { schema, known: [...known] })).map(row => [row.name, row]))
  const states = migrations.map(async (migration): Promise<MigrationState> => {
    const { name, breaking = false } = migration
    const row = applied.get(name)
    if (row === undefined) return { name, state: 'pending', breaking, appliedAt: undefined }
    const digest = await digestOf(migration)
    // What was applied before digests were kept, or has none, is believed.
    const changed = row.digest !== null && digest !== undefined && row.digest !== digest
    return { name, state: changed ? 'changed' : 'applied', breaking, appliedAt: row.applied_at }
  })
  return { migrations: await Promise.all(states), unknown: [...applied.keys()].filter(name => !known.has(name)) }
}

/**
 * Returns what the database says of the migrations that were applied. `known` are the names of those of this checkout.
 * @throws CodedError `names-taken` when another tool has a table of that name.
 */
export async function readApplied(
  client: Pick<pg.Client, 'query'>,
  { schema, known }: { schema: string; known: readonly string[] },
): Promise<AppliedMigration[]> {
  const table = await findMigrationsTable(client, schema)
  if (table.state === 'missing') return []
  // By way of JSON, because the column may not be there yet.
  const text = `SELECT name, applied_at, to_jsonb(m) ->> 'digest' AS digest FROM ${nameOfTable(schema)} m ORDER BY name`
  const rows = table.state === 'ours' ? (await client.query<AppliedMigration>(text)).rows : []
  if (isForeign(table, { executed: rows.map(({ name }) => name), known })) throw namesTaken([`table ${schema}.${TABLE}`], OF_SETTINGS)
  return rows
}
