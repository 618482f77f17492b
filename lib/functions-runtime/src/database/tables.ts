import { tablesNamed } from './sql.ts'

/** What the runtime keeps: counters of all containers, and which migrations were applied. */
export const tables = tablesNamed('operation_counters', 'schema_migrations')
