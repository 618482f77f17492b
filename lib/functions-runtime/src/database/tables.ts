import { tablesNamed } from './sql.ts'

/** Tables of the runtime: counters of all containers, and applied migrations. */
export const tables = tablesNamed('operation_counters', 'schema_migrations')
