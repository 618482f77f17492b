import type * as z from 'zod/mini'
import type { Scope } from '../../../app/settings/api.ts'

/** What one route takes and gives: it is checked against this when it is called, and described by this to callers. */
export interface Operation {
  readonly operationId: string
  readonly summary: string
  /** What the key has to be for. */
  readonly scope: Scope
  readonly query?: z.ZodMiniType
  readonly body?: z.ZodMiniType
  /** The body is a JSON Merge Patch (RFC 7396). */
  readonly patch?: boolean
  readonly idempotencyKey?: 'optional' | 'required'
  readonly ifMatch?: boolean
  /** Whether an id in the path may be nobody's. */
  readonly about?: 'user' | 'transaction'
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
