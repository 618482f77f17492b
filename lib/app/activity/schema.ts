import * as z from 'zod/mini'
import { shownInstantSchema } from '../../functions-runtime/src/content/instant.ts'
import { pageQuery } from '../../functions-runtime/src/content/page.ts'

/** Everything that is recorded of users. */
export const activityKinds = [
  'user.created',
  'user.updated',
  'user.erased',
  'transaction.created',
  'transaction.changed',
  'transaction.refused',
] as const
export type ActivityKind = (typeof activityKinds)[number]

/** An activity as the API shows it. */
export const activitySchema = z.strictObject({
  id: z.uuid(),
  kind: z.string(),
  details: z.nullable(z.record(z.string(), z.unknown())),
  /** As the caller's side claimed it; proves nothing. */
  ip: z.nullable(z.string()),
  userAgent: z.nullable(z.string()),
  createdAt: shownInstantSchema,
})
export type Activity = z.output<typeof activitySchema>

export const activityQuerySchema = z.strictObject({ ...pageQuery, kind: z.optional(z.enum(activityKinds)) })
export type ActivityQuery = z.output<typeof activityQuerySchema>
