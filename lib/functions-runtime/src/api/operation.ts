import type * as z from 'zod/mini'

/** What one route takes and gives: it is checked against this when it is called, and described by this to callers. */
export interface Operation {
  readonly operationId: string
  readonly summary: string
  /** What the key has to be for. Without one any valid key may call. */
  readonly scope?: string
  /** Anybody may call, without a key. */
  readonly open?: true
  /** The group in the contract. Default: the first segment of the path that is no parameter, else the name of the function. */
  readonly tag?: string
  readonly query?: z.ZodMiniType
  readonly body?: z.ZodMiniType
  /** The body is a JSON Merge Patch (RFC 7396). */
  readonly patch?: boolean
  readonly idempotencyKey?: 'optional' | 'required'
  readonly ifMatch?: boolean
  /** What it means that an id in the path is unknown, in a few words: answered with 404. */
  readonly missing?: string
  /** What may stand in the way, in a few words: answered with 409. */
  readonly conflicts?: string
  readonly answer: {
    readonly status: 200 | 201 | 202 | 204
    readonly description: string
    readonly schema?: z.ZodMiniType
    readonly headers?: readonly ('location' | 'etag' | 'link')[]
  }
}

/** An operation and its route, such as `GET /{orderId}`. */
export interface RoutedOperation extends Operation {
  readonly route: string
}

/** Returns the names in the braces of a route. */
export function parameterNamesOf(route: string): string[] {
  return [...route.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
}
