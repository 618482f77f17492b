import type pg from 'pg'
import { application } from '../../application.ts'
import type { Migration } from '../../../../resilient-sequelize/src/migrate/migration.ts'
import { breakingChanges, readCatalog, readIndexes } from './catalog.ts'

/** What a check says of one migration. */
export interface MigrationFinding {
  readonly migration: string
  /** `problem`: it must not be deployed like this. */
  readonly kind: 'problem' | 'warning'
  readonly message: string
}

// SQLSTATE of what cannot run inside of a transaction.
const ACTIVE_TRANSACTION = '25001'
// Of the scratch database, quoted.
const SCHEMA = '"public"'

/**
 * Applies migrations one after the other to an empty database and looks at what each has changed in its catalogue. What
 * a migration does is thus seen, and not guessed from its text. Leaves the database with their schema; the user has to own it.
 */
export async function checkMigrations(client: pg.Client, migrations: readonly Migration[] = application.migrations): Promise<MigrationFinding[]> {
  const findings: MigrationFinding[] = []
  for (const migration of migrations) {
    const before = await readCatalog(client)
    const tables = new Set(before.things.map(({ id }) => id))
    let built: string[]
    try {
      built = migration.transaction === false ? await runOutside(client, migration, tables) : await runInside(client, migration, tables)
    } catch (error) {
      const message = `fails on a database that has the migrations before it: ${(error as Error).message}`
      // Those after it would fail for want of it.
      return [...findings, { migration: migration.name, kind: 'problem', message }]
    }
    const changes = breakingChanges(before, await readCatalog(client))
    if (changes.length > 0 && migration.breaking !== true) {
      const message = `${changes.join('; ')}. The functions that serve meanwhile cannot work with that: split it up, or write breaking: true into its file and deploy with --allow-breaking`
      findings.push({ migration: migration.name, kind: 'problem', message })
    }
    findings.push(...built.map(message => ({ migration: migration.name, kind: 'warning' as const, message })))
  }
  return findings
}

async function runInside(client: pg.Client, migration: Migration, tables: ReadonlySet<string>): Promise<string[]> {
  return watchIndexes(client, tables, () => inTransaction(client, () => migration.up({ query: queryOf(client), schema: SCHEMA })))
}

// Whether a statement is one that does not lock, such as an index built concurrently, PostgreSQL knows best: it refuses
// those in a transaction. So each is tried in one.
async function runOutside(client: pg.Client, migration: Migration, tables: ReadonlySet<string>): Promise<string[]> {
  const warnings: string[] = []
  await migration.up({
    schema: SCHEMA,
    query: async (text, values) => {
      let result: unknown
      const run = async () => void (result = await queryOf(client)(text, values))
      try {
        warnings.push(...(await watchIndexes(client, tables, () => inTransaction(client, run))))
      } catch (error) {
        if ((error as { code?: string }).code !== ACTIVE_TRANSACTION) throw error
        await run()
      }
      return result
    },
  })
  return warnings
}

async function watchIndexes(client: pg.Client, tables: ReadonlySet<string>, work: () => Promise<unknown>): Promise<string[]> {
  const before = new Set((await readIndexes(client)).map(({ id }) => id))
  await work()
  return (await readIndexes(client))
    .filter(({ id, relation }) => !before.has(id) && tables.has(relation))
    .map(
      ({ name, table }) =>
        `builds the index ${name} on ${table}, which is there already: nobody can write to it meanwhile. Safe: transaction: false, DROP INDEX CONCURRENTLY IF EXISTS, then CREATE INDEX CONCURRENTLY; a constraint takes the index with ADD CONSTRAINT … USING INDEX`,
    )
}

async function inTransaction(client: pg.Client, work: () => Promise<unknown>): Promise<void> {
  await client.query('BEGIN')
  try {
    await work()
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    throw error
  }
}

function queryOf(client: pg.Client): (text: string, values?: readonly unknown[]) => Promise<unknown> {
  return (text, values) => client.query(text, values ? [...values] : undefined)
}
