import { tablesNamed } from '../../../../../functions-runtime/src/database/sql.ts'

export const tables = tablesNamed('activities', 'transactions', 'users')
