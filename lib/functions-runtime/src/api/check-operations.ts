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

/** Returns the first reason for which an API cannot be served or described, with what to do; `undefined` for a sound one. */
export function findMistake({ operations, routes, parameters }: CheckedApi): string | undefined {
  if (operations.length === 0) return 'it has no operation: give at least one, or use defineFunction'
  const taken = new Map([CONTRACT_ROUTE, ...routes].map(route => [shapeOf(route), route]))
  const ids = new Map<string, string>()
  for (const operation of operations) {
    const { route, operationId } = operation
    const mistake = mistakeIn(operation) ?? mistakeBeside(operation, taken.get(shapeOf(route)), ids.get(operationId))
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

// Two routes that differ in the names of their parameters match the same requests.
function shapeOf(route: string): string {
  return route.replaceAll(/\{\w+\}/g, '{}')
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
