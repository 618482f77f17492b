import { createHash } from 'node:crypto'
import { collectStatements } from './collect-statements.ts'
import type { Migration } from './migration.ts'

/**
 * SHA-256, as hexadecimal digits, of the statements that a migration sends. Blanks between words do not count, so that
 * formatting a file changes nothing; neither does the schema. `undefined` for a migration that cannot go on without the
 * answer to a statement.
 */
export async function digestOf(migration: Migration): Promise<string | undefined> {
  const { statements, complete } = await collectStatements(migration)
  if (!complete) return undefined
  const hash = createHash('sha256').update(migration.transaction === false ? 'outside' : 'inside')
  for (const { text, values } of statements) hash.update(JSON.stringify([text.trim().replace(/\s+/g, ' '), values]))
  return hash.digest('hex')
}
