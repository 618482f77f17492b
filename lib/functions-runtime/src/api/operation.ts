import type * as z from 'zod/mini'

/** What one route takes and gives: it is checked against this when it is called, and described by this to callers. */
export interface Operation {
  readonly operationId: string
  readonly summary: string
  /** What the key has to be for. */
  readonly scope: string
  readonly query?: z.ZodMiniType
  readonly body?: z.ZodMiniType
  /** The body is a JSON Merge Patch (RFC 7396). */
  readonly patch?: boolean
  readonly idempotencyKey?: 'optional' | 'required'
  readonly ifMatch?: boolean
  /** What it means that an id in the path is nobody's, in a few words: answered with 404. */
  readonly missing?: string
  /** What may stand in the way, in a few words: answered with 409. */
  readonly conflicts?: string
  readonly answer: {
    readonly status: 200 | 201 | 204
    readonly description: string
    readonly schema?: z.ZodMiniType
    readonly headers?: readonly ('location' | 'etag' | 'link')[]
  }
}

export type Operations = Readonly<Record<string, Operation>>
