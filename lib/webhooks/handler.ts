import type * as z from 'zod/mini'
import type { Work } from '../database/service.ts'

/** An event after its signature and its form were checked. */
export interface WebhookEvent<Data = unknown> {
  readonly source: string
  readonly id: string
  readonly type: string
  readonly data: Data
}

/** What applying an event tells about it. */
export interface Effect {
  /** The user it concerns, if that user is known. */
  readonly userId: string | null
}

/** How one type of event is applied. */
export interface WebhookHandler<Schema extends z.ZodMiniType = z.ZodMiniType> {
  readonly type: string
  readonly schema: Schema
  /** Runs in the transaction that claims the event: what it writes is there exactly when the claim is. */
  apply(event: WebhookEvent<z.output<Schema>>, work: Work): Promise<Effect>
}

/** Ties a handler's schema to what its `apply` receives. */
export function defineHandler<Schema extends z.ZodMiniType>(handler: WebhookHandler<Schema>): WebhookHandler<Schema> {
  return handler
}
