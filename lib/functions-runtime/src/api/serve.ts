import type { Database } from '../database/connect.ts'
import { authenticate, requireScope } from '../edge/auth.ts'
import type { Invocation, WebHandler } from '../edge/define.ts'
import type { WebRequest } from '../edge/event.ts'
import type { Reply } from '../edge/reply.ts'
import type { ApiKey } from '../settings/api-keys.ts'
import type { Logger } from '../telemetry/logger.ts'
import { createClaim } from './claim.ts'
import type { Operation } from './operation.ts'
import { readOrigin, type Origin } from './origin.ts'
import { readBody, readIdempotencyKey, readIfMatch, readQuery } from './read-request.ts'
import type { ApiRequest, DefinedOperation } from './request.ts'

/** What the handler of one request gets beside what was sent. */
export interface RequestTools<Tools extends object> {
  readonly tools: Tools
  /** Called before the answer is given: ends what is under way. Must not reject. */
  readonly end?: () => Promise<void>
}

/** What is known of a request before its handler runs. */
export interface RequestFacts {
  readonly origin: Origin
  readonly logger: Logger
  readonly requestId: string
}

/** What the operations of a function share. */
export interface ApiServices<Settings extends object, Shared extends object> {
  readonly database: Database
  readonly keys: readonly ApiKey[]
  readonly settings: Settings
  readonly shared: Shared
}

type OpenTools<Shared extends object> = (shared: Shared, facts: RequestFacts) => RequestTools<object>

/**
 * Returns the handler of an operation's route: who may call is decided first, then what was sent is checked, and the answer is
 * given after everything that the request began has ended.
 */
export function serveOperation<Settings extends object, Shared extends object>(
  operation: DefinedOperation,
  openTools: OpenTools<Shared>,
): WebHandler<ApiServices<Settings, Shared>> {
  const handle = operation.handle as (request: ApiRequest<string, unknown> & { readonly settings: Settings }) => Promise<Reply> | Reply
  return async (request, { services, deadline, logger, requestId }: Invocation<ApiServices<Settings, Shared>>) => {
    const { keys, settings, shared, database } = services
    const caller = callerOf(operation, request, keys)
    const { params, locate } = request
    const key = readIdempotencyKey(request, operation)
    const matches = operation.ifMatch ? readIfMatch(request) : () => true
    const query = operation.query && readQuery(request, operation.query)
    const body = operation.body && readBody(request, operation.body)
    const claim = key === undefined || caller === undefined ? undefined : createClaim({ caller, key, request: [operation.route, params, body] })
    const origin = readOrigin(request.headers)
    const { tools, end } = openTools(shared, { origin, logger, requestId })
    try {
      return await handle({
        ...shared,
        ...tools,
        params,
        query: query as undefined,
        body: body as undefined,
        claim: claim as undefined,
        caller: caller as string,
        matches,
        locate,
        search: request.query,
        origin,
        settings,
        database: database.service,
        deadline,
        logger,
        requestId,
      })
    } finally {
      await end?.()
    }
  }
}

function callerOf({ open, scope }: Operation, { headers }: WebRequest, keys: readonly ApiKey[]): string | undefined {
  if (open) return undefined
  const caller = authenticate(headers, keys)
  if (scope !== undefined) requireScope(caller, scope)
  return caller.name
}
