import { tablesNamed } from '../../functions-runtime/src/database/sql.ts'

/** Recorded health checks and raised alerts. */
export const tables = tablesNamed('alerts_raised', 'health_checks')
