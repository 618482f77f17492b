import { tablesNamed } from '../../functions-runtime/src/database/sql.ts'

/**
 * What the inbox keeps, and `webhook_erased`: the view with which the application tells whom it has erased, by `id` and by
 * `name`, as senders call them.
 */
export const tables = tablesNamed('webhook_events', 'webhook_erased')
