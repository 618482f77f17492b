import type * as z from 'zod/mini'
import type { Database } from '../database/connect.ts'
import type { DatabaseService } from '../database/service.ts'
import { authenticate, requireScope } from '../edge/auth.ts'
import type { Invocation, WebHandler } from '../edge/define.ts'
import type { WebRequest } from '../edge/event.ts'
import type { Reply } from '../edge/reply.ts'
import type { ApiSettings } from '../settings/api-keys.ts'
import { createClaim, type Claim } from './claim.ts'
import type { Operation, Operations } from './operation.ts'
import { readOrigin, type Origin } from './origin.ts'
import { readBody, readIdempotencyKey, readIfMatch, readQuery } from './read-request.ts'

/** What the application gives every handler of one request beside what was sent. */
export interface RequestTools<Tools extends object> {
  readonly tools: Tools
  /** Called before the answer is given: ends what is under way. Never rejects. */
  readonly end: () => Promise<void>
}

/** What the operations of a function share. */
export interface ApiServices<Tools extends object> {
  readonly api: ApiSettings
  readonly database: Database
  readonly openTools: (origin: Origin) => RequestTools<Tools>
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
  readonly database: DatabaseService
}

export type ApiHandlers<Ops extends Operations, Tools extends object> = {
  readonly [Route in keyof Ops & string]: (request: ApiRequest<Route, Ops[Route]> & Tools) => Promise<Reply> | Reply
}

type Handle<Tools> = (request: ApiRequest<string, unknown> & Tools) => Promise<Reply>

/**
 * Makes routes out of operations and their handlers: who may call is decided first, then what was sent is checked, and
 * the answer is given once nothing is under way any more.
 */
export function serveOperations<Ops extends Operations, Tools extends object>(
  operations: Ops,
  handlers: ApiHandlers<Ops, Tools>,
): Record<string, WebHandler<ApiServices<Tools>>> {
  return Object.fromEntries(
    Object.entries(operations).map(([route, operation]): [string, WebHandler<ApiServices<Tools>>] => {
      const handle = handlers[route] as unknown as Handle<Tools>
      return [route, (request, invocation) => answer({ route, operation, handle }, request, invocation)]
    }),
  )
}

async function answer<Tools extends object>(
  { route, operation, handle }: { route: string; operation: Operation; handle: Handle<Tools> },
  request: WebRequest,
  { services }: Invocation<ApiServices<Tools>>,
): Promise<Reply> {
  const caller = authenticate(request.headers, services.api.keys)
  requireScope(caller, operation.scope)
  const { params, headers, locate } = request
  const key = readIdempotencyKey(request, operation)
  const matches = operation.ifMatch ? readIfMatch(request) : () => true
  const query = operation.query && readQuery(request, operation.query)
  const body = operation.body && readBody(request, operation.body)
  const claim = key === undefined ? undefined : createClaim({ caller: caller.name, key, request: [route, params, body] })
  const { tools, end } = services.openTools(readOrigin(headers))
  try {
    return await handle({
      ...tools,
      params,
      query: query as undefined,
      body: body as undefined,
      claim,
      matches,
      locate,
      search: request.query,
      database: services.database.service,
    })
  } finally {
    await end()
  }
}
