import * as z from 'zod/mini'
import { externalIdSchema, storableText } from '../storable-text.ts'

const emailSchema = z.string().check(z.trim(), z.maxLength(254), z.email())
const nameSchema = storableText({ maxLength: 200 }).check(z.trim(), z.minLength(1))

/** What creates a user. */
export const newUserSchema = z.strictObject({
  email: emailSchema,
  name: nameSchema,
  externalId: z.optional(externalIdSchema),
})
export type NewUser = z.output<typeof newUserSchema>

export const userIdSchema = z.uuid()

/** `data` of `user.created` and `user.updated`: all of the user, as the sender has it then. */
export const reportedUserSchema = z.object({
  /** The sender's id of the user. */
  userId: externalIdSchema,
  email: emailSchema,
  name: nameSchema,
})
export type ReportedUser = z.output<typeof reportedUserSchema>
