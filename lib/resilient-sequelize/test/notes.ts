import type { TestDatabase } from '../../functions-devkit/test/support/database.ts'

/** Returns the texts in table `notes`, sorted. */
export async function textsIn(database: TestDatabase): Promise<string[]> {
  const rows = await database.query<{ text: string }>('SELECT text FROM notes ORDER BY text')
  return rows.map(({ text }) => text)
}
