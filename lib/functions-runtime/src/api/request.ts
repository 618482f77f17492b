import type * as z from 'zod/mini'
import type { Deadline } from '../../../invocation/src/deadline.ts'
import type { DatabaseService } from '../database/service.ts'
import type { WebRequest } from '../edge/event.ts'
import type { Reply } from '../edge/reply.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Claim } from './claim.ts'
import type { Operation, RoutedOperation } from './operation.ts'
import type { Origin } from './origin.ts'

type Output<Schema> = Schema extends z.ZodMiniType ? z.output<Schema> : undefined
type ParamsOf<Route extends string> = Route extends `${string}{${infer Name}}${infer Rest}`
  ? { readonly [N in Name]: string } & ParamsOf<Rest>
  : unknown
// An object that names a field which no operation has is no operation.
type Only<O> = { readonly [Name in Exclude<keyof O, keyof Operation>]: never }

/** A request as a handler gets it: everything that the operation names is read and checked. */
export interface ApiRequest<Route extends string, O> {
  readonly params: ParamsOf<Route>
  readonly query: Output<O extends { query: infer Schema } ? Schema : undefined>
  readonly body: Output<O extends { body: infer Schema } ? Schema : undefined>
  /** Of a request that may be repeated, if the caller has named it. */
  readonly claim: O extends { idempotencyKey: 'required' } ? Claim : O extends { idempotencyKey: 'optional' } ? Claim | undefined : undefined
  /** Name of the API key; `undefined` where none is needed. */
  readonly caller: O extends { open: true } ? undefined : string
  /** Whether the caller has seen the thing as it is, by its entity tag; always, where that is not asked for. */
  readonly matches: (tag: string) => boolean
  readonly locate: WebRequest['locate']
  /** The query as it was sent. */
  readonly search: URLSearchParams
  readonly origin: Origin
  readonly database: DatabaseService
  readonly deadline: Deadline
  readonly logger: Logger
  readonly requestId: string
}

/** An operation with its route and its handler. */
export interface DefinedOperation extends RoutedOperation {
  readonly handle: (request: never) => Promise<Reply> | Reply
}

/** Defines one operation; its handler gets what the route, the operation and the function's `setup` declare. */
export type DefineOperation<Tools extends object = object> = <const Route extends string, const O extends Operation>(
  route: Route,
  operation: O & Only<O>,
  handle: (request: ApiRequest<Route, O> & Tools) => Promise<Reply> | Reply,
) => DefinedOperation

export const operation: DefineOperation<never> = (route, given, handle) => ({ ...given, route, handle })
