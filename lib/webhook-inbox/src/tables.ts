import { tablesNamed } from '../../functions-runtime/src/database/sql.ts'

/**
 * The inbox's table, and the view `webhook_erased`, in which the application lists erased users: `id`, and `name` as senders
 * call the user.
 */
export const tables = tablesNamed('webhook_events', 'webhook_erased')
