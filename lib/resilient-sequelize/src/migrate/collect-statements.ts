import type { Migration } from './migration.ts'

export interface CollectedStatement {
  readonly text: string
  readonly values: readonly unknown[]
}

// More statements than that are a loop that waits for an answer which nothing gives here.
const MOST_STATEMENTS = 10_000
// Stands for the schema, so that a migration sends the same statements whatever the schema is.
const SCHEMA = '"schema"'

/**
 * The statements that a migration sends, found by running it against nothing. `complete` is false for a migration that
 * cannot continue without the answer to a statement: then these are the statements up to that one.
 */
export async function collectStatements(migration: Migration): Promise<{ statements: CollectedStatement[]; complete: boolean }> {
  const statements: CollectedStatement[] = []
  const query = async (text: string, values: readonly unknown[] = []) => {
    if (statements.length >= MOST_STATEMENTS) throw new RangeError('the migration has no end')
    statements.push({ text, values })
    return { rows: [], rowCount: 0 }
  }
  try {
    await migration.up({ query, schema: SCHEMA })
    return { statements, complete: true }
  } catch {
    return { statements, complete: false }
  }
}

/** The placeholder, as a name. */
export const COLLECTED_SCHEMA = SCHEMA.slice(1, -1)
