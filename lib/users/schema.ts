import * as z from 'zod/mini'
import { externalIdSchema, storableText } from '../storable-text.ts'

/** What creates a user. */
export const newUserSchema = z.strictObject({
  email: z.string().check(z.trim(), z.maxLength(254), z.email()),
  name: storableText({ maxLength: 200 }).check(z.trim(), z.minLength(1)),
  externalId: z.optional(externalIdSchema),
})
export type NewUser = z.output<typeof newUserSchema>

export const userIdSchema = z.uuid()
