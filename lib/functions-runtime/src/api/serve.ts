import type * as z from 'zod/mini'
import { readOrigin } from '../../../app/activity/origin.ts'
import type { ActivityRecorder, ActivityRecorders } from '../../../app/activity/record.ts'
import type { ApiSettings } from '../../../app/settings/api.ts'
import type { Database } from '../database/connect.ts'
import type { DatabaseService } from '../database/service.ts'
import { authenticate, requireScope } from '../edge/auth.ts'
import type { Invocation, WebHandler } from '../edge/define.ts'
import type { WebRequest } from '../edge/event.ts'
import type { Reply } from '../edge/reply.ts'
import { createClaim, type Claim } from '../../../app/idempotency/claim.ts'
import type { Operation, Operations } from './operation.ts'
import { readBody, readIdempotencyKey, readIfMatch, readQuery } from './read-request.ts'

/** What the operations of a function share. */
export interface ApiServices {
  readonly api: ApiSettings
  readonly database: Database
  readonly activities: ActivityRecorders
}

type Output<Schema> = Schema extends z.ZodMiniType ? z.output<Schema> : undefined
type ParamsOf<Route extends string> = Route extends `${string}{${infer Name}}${infer Rest}`
  ? { readonly [N in Name]: string } & ParamsOf<Rest>
  : unknown

/** A request as a handler gets it: everything that the operation names is read and checked. */
export interface ApiRequest<Route extends string, O> {
  readonly params: ParamsOf<Route>
  readonly query: Output<O extends { query: infer Schema } ? Schema : undefined>
  readonly body: Output<O extends { body: infer Schema } ? Schema : undefined>
  /** Of a request that may be repeated, if the caller has named it. */
  readonly claim: O extends { idempotencyKey: 'required' } ? Claim : Claim | undefined
  /** Whether the caller has seen the thing as it is, by its entity tag; always, where that is not asked for. */
  readonly matches: (tag: string) => boolean
  readonly locate: WebRequest['locate']
  /** The query as it was sent. */
  readonly search: URLSearchParams
  readonly activity: ActivityRecorder
  readonly database: DatabaseService
}

export type ApiHandlers<Ops extends Operations> = {
  readonly [Route in keyof Ops & string]: (request: ApiRequest<Route, Ops[Route]>) => Promise<Reply> | Reply
}

/**
 * Makes routes out of operations and their handlers: who may call is decided first, then what was sent is checked, and
 * the answer is given once nothing is under way any more.
 */
export function serveOperations<Ops extends Operations>(operations: Ops, handlers: ApiHandlers<Ops>): Record<string, WebHandler<ApiServices>> {
  return Object.fromEntries(
    Object.entries(operations).map(([route, operation]): [string, WebHandler<ApiServices>] => {
      const handle = handlers[route] as (request: ApiRequest<string, unknown>) => Promise<Reply>
      return [route, (request, invocation) => answer({ route, operation, handle }, request, invocation)]
    }),
  )
}

async function answer(
  { route, operation, handle }: { route: string; operation: Operation; handle: (request: ApiRequest<string, unknown>) => Promise<Reply> },
  request: WebRequest,
  { services }: Invocation<ApiServices>,
): Promise<Reply> {
  const caller = authenticate(request.headers, services.api.keys)
  requireScope(caller, operation.scope)
  const { params, headers, locate } = request
  const key = readIdempotencyKey(request, operation)
  const matches = operation.ifMatch ? readIfMatch(request) : () => true
  const query = operation.query && readQuery(request, operation.query)
  const body = operation.body && readBody(request, operation.body)
  const claim = key === undefined ? undefined : createClaim({ caller: caller.name, key, request: [route, params, body] })
  const activity = services.activities(readOrigin(headers))
  try {
    return await handle({
      params,
      query: query as undefined,
      body: body as undefined,
      claim,
      matches,
      locate,
      search: request.query,
      activity,
      database: services.database.service,
    })
  } finally {
    await activity.flushActivity()
  }
}
