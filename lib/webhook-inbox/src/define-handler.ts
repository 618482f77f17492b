import type * as z from 'zod/mini'
import type { Work } from '../../functions-runtime/src/database/service.ts'
import type * as handler from './inbox/handler.ts'

/** What a handler of `createInbox` gets. An application has its models itself: only a function gets `models` in its work. */
export type InboxWork = Omit<Work, 'models'> & handler.BareWork

export type DatabaseHandler<Schema extends z.ZodMiniType = z.ZodMiniType> = handler.DatabaseHandler<Schema, InboxWork>
export type WebhookHandler<Schema extends z.ZodMiniType = z.ZodMiniType> = DatabaseHandler<Schema> | handler.BareHandler<Schema>

/** Ties a handler's schema to what its `apply` receives. */
export function defineHandler<Schema extends z.ZodMiniType>(given: DatabaseHandler<Schema>): DatabaseHandler<Schema>
export function defineHandler<Schema extends z.ZodMiniType>(given: handler.BareHandler<Schema>): handler.BareHandler<Schema>
export function defineHandler<Schema extends z.ZodMiniType>(given: WebhookHandler<Schema>): WebhookHandler<Schema> {
  return given
}
