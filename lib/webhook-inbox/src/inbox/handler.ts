import type * as z from 'zod/mini'
import type { Work } from '../../../functions-runtime/src/database/service.ts'
import type { Logger } from '../../../functions-runtime/src/telemetry/logger.ts'
import type { NoticedAlert } from './alert.ts'

export { later } from './later.ts'

/** An event after its signature and its form were checked. */
export interface WebhookEvent<Data = unknown> {
  readonly source: string
  readonly id: string
  readonly type: string
  /**
   * When it was sent as the sender says; or else when it was first received, by the clock of the database or, while that is
   * away, of the outage buffer. ISO 8601.
   */
  readonly occurredAt: string
  /** Its place in a total order of events, see `orderOf`: for a column of `text COLLATE "C"`. */
  readonly order: string
  readonly data: Data
}

/** Passes an alert on. */
export type PassOn = (alert: NoticedAlert) => Promise<void>

/** What a handler may return about its event. Any other value is ignored, such as a model instance or an object with more keys. */
export interface Effect {
  /** The user it concerns, if that user is known. */
  readonly userId: string | null
  /** That user was erased: what the event said is not kept. */
  readonly erased?: boolean
}

/** What a handler gets that does without the database. */
export interface BareWork extends Pick<Work, 'signal' | 'afterCommit'> {
  readonly logger: Logger
  /** Tells whoever hears of alerts. Never rejects, and takes a second at most. */
  readonly alert: PassOn
}

interface HandlerOf<Schema extends z.ZodMiniType> {
  readonly type: string
  /** Synchronous: an asynchronous one parks every event. So does content that does not fit. */
  readonly schema: Schema
  /** The user it is about, as the sender calls that user: when the user is erased, what the event said goes. */
  concerns?(data: z.output<Schema>): string
}

/** How one type of event is applied to the database. `Given` is what its `apply` gets to work with. */
export interface DatabaseHandler<Schema extends z.ZodMiniType = z.ZodMiniType, Given = Work & BareWork> extends HandlerOf<Schema> {
  readonly needsDatabase: true
  /**
   * Runs in the transaction that claims the event: what it writes is there exactly when the claim is, once. It may be run
   * again from its start after a failure, so it does nothing outside of the database but through `afterCommit`. An error
   * that may pass in a moment is thrown as an ApplicationError with `retryable`, one that takes longer as `later(…)`; any
   * other parks the event for a person. May return an `Effect`; other values are ignored.
   */
  apply(event: WebhookEvent<z.output<Schema>>, work: Given): Promise<unknown>
}

/** How one type of event is applied elsewhere, also while the database is away. */
export interface BareHandler<Schema extends z.ZodMiniType = z.ZodMiniType> extends HandlerOf<Schema> {
  readonly needsDatabase: false
  /**
   * Runs at least once for each event: again when the answer, or the record of the event, was lost. What it does has to
   * bear that, for instance by handing the event's id on. It is given no transaction. While the database is there, one is open
   * around it: the claim, for which other deliveries of the event wait. It must not write to the database: when the COMMIT
   * fails, the claim is made again without it, and what it wrote is lost.
   */
  apply(event: WebhookEvent<z.output<Schema>>, work: BareWork): Promise<unknown>
}

export type WebhookHandler<Schema extends z.ZodMiniType = z.ZodMiniType> = DatabaseHandler<Schema> | BareHandler<Schema>

/** Ties a handler's schema to what its `apply` receives. */
export function defineHandler<Schema extends z.ZodMiniType>(handler: DatabaseHandler<Schema>): DatabaseHandler<Schema>
export function defineHandler<Schema extends z.ZodMiniType>(handler: BareHandler<Schema>): BareHandler<Schema>
export function defineHandler<Schema extends z.ZodMiniType>(handler: WebhookHandler<Schema>): WebhookHandler<Schema> {
  return handler
}
