import { createHash } from 'node:crypto'
import type { Migration } from './migration.ts'

// More statements than that are a loop that waits for an answer which nobody gives here.
const MOST_STATEMENTS = 10_000

/**
 * SHA-256, as hexadecimal digits, of the statements that a migration sends, found by running it against nothing. Blanks
 * between words do not count, so that formatting a file anew changes nothing. `undefined` for a migration that cannot go
 * on without the answer to a statement.
 */
export async function digestOf(migration: Migration): Promise<string | undefined> {
  const hash = createHash('sha256').update(migration.transaction === false ? 'outside' : 'inside')
  let statements = 0
  const query = async (text: string, values: readonly unknown[] = []) => {
    statements += 1
    if (statements > MOST_STATEMENTS) throw new Error('the migration has no end')
    hash.update(JSON.stringify([text.trim().replace(/\s+/g, ' '), values]))
    return { rows: [], rowCount: 0 }
  }
  try {
    await migration.up({ query })
    return hash.digest('hex')
  } catch {
    return undefined
  }
}
