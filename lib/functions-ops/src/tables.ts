import { tablesNamed } from '../../functions-runtime/src/database/sql.ts'

/** What was found when, and which alerts are raised. */
export const tables = tablesNamed('alerts_raised', 'health_checks')
