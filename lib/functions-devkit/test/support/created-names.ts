import { expect, it } from 'vitest'
import { collectStatements } from '../../../resilient-sequelize/src/migrate/collect-statements.ts'
import { createdNames } from '../../../resilient-sequelize/src/migrate/created-names.ts'
import type { Migration } from '../../../resilient-sequelize/src/migrate/migration.ts'
import { withDatabase, type TestDatabase } from './database.ts'

const NAMES = `
  SELECT 'relation ' || n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind <> 'c'
  UNION ALL SELECT 'type ' || n.nspname || '.' || t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    LEFT JOIN pg_class c ON c.oid = t.typrelid WHERE t.typelem = 0 AND coalesce(c.relkind, 'c') = 'c'
  UNION ALL SELECT 'function ' || n.nspname || '.' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  UNION ALL SELECT 'constraint ' || n.nspname || '.' || k.conname FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
    WHERE k.contype IN ('c', 'f') AND k.conrelid <> 0
  UNION ALL SELECT 'schema ' || nspname FROM pg_namespace`

/** Returns everything that has a name in the database, as `kind schema.name`. */
export async function namesIn(database: TestDatabase): Promise<Set<string>> {
  return new Set((await database.query<{ name: string }>(NAMES)).map(({ name }) => name))
}

/** Returns the names that a statement creates, in the form of `namesIn`. */
export function readNames(text: string): string[] {
  return createdNames(text).map(({ kind, schema = 'public', name }) => {
    if (kind === 'schema' || kind === 'extension' || kind === 'role') return `${kind} ${name}`
    return `${['type', 'function', 'constraint'].includes(kind) ? kind : 'relation'} ${schema}.${name}`
  })
}

/** Tests that every name which the migrations of the application under test create is found in their texts. */
export function itFindsCreatedNames(migrations: readonly Migration[]): void {
  it('finds every name that the migrations create', async () => {
    await withDatabase(async database => {
      const collected = await Promise.all(migrations.map(collectStatements))
      const found = new Set(collected.flatMap(({ statements }) => statements.flatMap(({ text }) => readNames(text))))
      const created = [...(await namesIn(database))].filter(name => name.includes(' public.') && !name.includes('schema_migrations'))
      // PostgreSQL numbers the second check of a kind, and checks with names of their own are their table's alone.
      const shared = /_check\d*$|_known$|_once$|_pending$/
      expect(created.filter(name => !found.has(name) && !shared.test(name))).toEqual([])
      expect(created.length).toBeGreaterThan(40)
    })
  })
}
