import { isScope, SCOPE_FORM } from '../settings/api-keys.ts'
import type * as z from 'zod/mini'
import { parameterNamesOf, type Operation, type RoutedOperation } from './operation.ts'

const ROUTE = /^(?:GET|POST|PUT|PATCH|DELETE) \/(?:(?:[\w.~-]+|\{\w+\})(?:\/(?:[\w.~-]+|\{\w+\}))*)?$/
const OPERATION_ID = /^[A-Za-z]\w*$/

/** Where a function gives out its contract. */
export const CONTRACT_ROUTE = 'GET /openapi.json'
const HEADERS: readonly string[] = ['Idempotency-Key', 'If-Match']

/** What is checked before a function can be called. */
export interface CheckedApi {
  readonly operations: readonly RoutedOperation[]
  /** Routes without an operation. */
  readonly routes: readonly string[]
  /** Names that the contract describes. */
  readonly parameters: readonly string[]
}

/** Returns the reason for which what `operations` returned is no list of operations; `undefined` for one that is. */
export function findListMistake(returned: unknown): string | undefined {
  if (!Array.isArray(returned)) return `operations returns ${kindOf(returned)}: return a list, such as [operation('GET /', { … }, handle)]`
  const all: readonly unknown[] = returned.flat()
  const index = all.findIndex(one => typeof one !== 'object' || one === null || !('route' in one))
  if (index === -1) return undefined
  return `number ${index + 1} of the operations is ${kindOf(all[index])}: each is what operation('GET /', { … }, handle) returns`
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value)
  return value instanceof Promise ? 'a promise' : `of the type ${typeof value}`
}

/** Returns the first reason for which an API cannot be served or described, with what to do; `undefined` for a sound one. */
export function findMistake({ operations, routes, parameters }: CheckedApi): string | undefined {
  if (operations.length === 0) return 'it has no operation: give at least one, or use defineFunction'
  if (routes.some(route => shapeOf(route) === CONTRACT_ROUTE))
    return `routes has ${CONTRACT_ROUTE}, where the contract is served: choose another path`
  const taken = new Map([CONTRACT_ROUTE, ...routes].map(route => [shapeOf(route), route]))
  const ids = new Map<string, string>()
  for (const operation of operations) {
    const { route, operationId } = operation
    const mistake =
      mistakeIn(operation) ??
      mistakeInContent(operation) ??
      mistakeBeside(operation, taken.get(shapeOf(route)), ids.get(operationId)) ??
      mistakeBehind(operation, routes)
    if (mistake !== undefined) return `${route}: ${mistake}`
    taken.set(shapeOf(route), route)
    ids.set(operationId, route)
  }
  const unknown = unknownParameter(operations, parameters)
  if (unknown !== undefined) return `parameters describes ${unknown}, which is in no route and no query: correct the name or leave it out`
  return undefined
}

function mistakeBeside({ operationId }: Operation, sameRoute: string | undefined, sameId: string | undefined): string | undefined {
  if (sameRoute === CONTRACT_ROUTE) return 'the contract is served there, choose another path'
  if (sameRoute !== undefined) return `${sameRoute} is the same route, so one of them is never called`
  if (sameId !== undefined) return `operationId ${operationId} belongs to ${sameId}, choose another`
  return undefined
}

function mistakeIn({ route, operationId, scope, open, idempotencyKey }: RoutedOperation): string | undefined {
  if (!ROUTE.test(route)) return 'a route is a method and a path, such as GET /{orderId}/items'
  const names = parameterNamesOf(route)
  const twice = names.find((one, index) => names.indexOf(one) !== index)
  if (twice !== undefined) return `{${twice}} is there twice, give each its own name`
  if (!OPERATION_ID.test(operationId)) return `operationId ${JSON.stringify(operationId)} is no name such as createOrder`
  if (open && scope !== undefined) return `it is open to all, so the scope ${scope} is never asked for: leave one of them out`
  if (open && idempotencyKey !== undefined) return 'it is open to all, and an idempotency key belongs to an API key: leave one of them out'
  if (scope !== undefined && !isScope(scope)) return `API_KEYS cannot hold the scope ${JSON.stringify(scope)}: use ${SCOPE_FORM}`
  return undefined
}

function mistakeInContent({ route, body, patch, idempotencyKey, answer }: RoutedOperation): string | undefined {
  if (route.startsWith('GET ') && body !== undefined) return 'GET carries no body: use query, or another method'
  if (route.startsWith('GET ') && idempotencyKey !== undefined) return 'GET can be repeated without an idempotency key: leave idempotencyKey out'
  if (patch && body === undefined) return 'patch says how the body is read, and there is no body: give its schema, or leave patch out'
  if (answer.status === 204 && answer.schema !== undefined) return 'an answer with status 204 has no content: leave answer.schema out, or use 200'
  return undefined
}

// Further routes are matched before operations.
function mistakeBehind({ route }: RoutedOperation, routes: readonly string[]): string | undefined {
  const [method, ...segments] = shapeOf(route).split(/[ /]+/)
  const shadow = routes.find(other => {
    const [otherMethod, ...others] = shapeOf(other).split(/[ /]+/)
    const takesAll = others.every((segment, index) => segment === segments[index] || (segment === '{}' && segments[index] !== ''))
    return method === otherMethod && others.length === segments.length && takesAll
  })
  return shadow === undefined ? undefined : `${shadow} of routes takes all of its requests, so it is never called: choose another path`
}

// Two routes that differ in the names of their parameters, or in a slash at the end, match the same requests.
function shapeOf(route: string): string {
  return route.replaceAll(/\{\w+\}/g, '{}').replace(/(?<=[^ ])\/$/, '')
}

function unknownParameter(operations: readonly RoutedOperation[], described: readonly string[]): string | undefined {
  const queries = operations.map(queryNamesOf)
  // A schema that is no plain object does not tell its names.
  if (queries.includes(undefined)) return undefined
  const known = new Set([...HEADERS, ...operations.flatMap(({ route }) => parameterNamesOf(route)), ...queries.flatMap(names => names ?? [])])
  return described.find(name => !known.has(name))
}

function queryNamesOf({ query }: Operation): readonly string[] | undefined {
  if (query === undefined) return []
  const { shape } = query._zod.def as { readonly shape?: Readonly<Record<string, z.ZodMiniType>> }
  return shape === undefined ? undefined : Object.keys(shape)
}
