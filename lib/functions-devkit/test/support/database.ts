import { inject } from 'vitest'
import { EMPTY_TEMPLATE, makeMigratedTemplate, MIGRATED_TEMPLATE } from './templates.ts'
import { copyDatabase, type TestDatabase } from '../../../postgres-faults/src/test-database.ts'

export type { TestDatabase } from '../../../postgres-faults/src/test-database.ts'

const NO_SUCH_DATABASE = '3D000'

/** Creates a database with every migration applied, or with no table at all. */
export async function createTestDatabase({ empty = false }: { empty?: boolean } = {}): Promise<TestDatabase> {
  const server = inject('postgres')
  if (empty) return copyDatabase(server, EMPTY_TEMPLATE)
  try {
    return await copyDatabase(server, MIGRATED_TEMPLATE)
  } catch (error) {
    if ((error as { code?: string }).code !== NO_SUCH_DATABASE) throw error
    await makeMigratedTemplate(server)
    return copyDatabase(server, MIGRATED_TEMPLATE)
  }
}

/** Runs a test with a database and drops it afterwards. After a failure, what the tables held is printed first. */
export async function withDatabase<T>(work: (database: TestDatabase) => Promise<T>, options?: { empty?: boolean }): Promise<T> {
  const database = await createTestDatabase(options)
  let result: T
  try {
    result = await work(database)
  } catch (error) {
    console.error(await describeRows(database).catch(() => 'its tables could not be read'))
    // Sessions left open by a failed test are no finding of their own: the first error is the one to see.
    await database.drop().catch(() => {})
    throw error
  }
  await database.drop()
  return result
}

async function describeRows(database: TestDatabase): Promise<string> {
  const tables = await database.query<{ name: string }>(
    "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1",
  )
  const counts: string[] = []
  for (const { name } of tables) {
    const [row] = await database.query<{ count: string }>(`SELECT count(*) FROM ${name}`)
    counts.push(`${name}: ${row?.count}`)
  }
  return `Rows in ${database.name} when the test failed: ${counts.join(', ') || 'it has no table'}`
}
