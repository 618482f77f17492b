import * as z from 'zod/mini'
import { instantSchema, shownInstantSchema } from '../../functions-runtime/src/content/instant.ts'
import { pageQuery } from '../../functions-runtime/src/content/page.ts'
import { externalIdSchema, storableText } from '../../functions-runtime/src/content/storable-text.ts'

const emailSchema = z.string().check(z.trim(), z.maxLength(254), z.email())
const nameSchema = storableText({ maxLength: 200 }).check(z.trim(), z.minLength(1))

/** What creates a user. */
export const newUserSchema = z.strictObject({
  email: emailSchema,
  name: nameSchema,
  externalId: z.optional(externalIdSchema),
})
export type NewUser = z.output<typeof newUserSchema>

/** What changes a user, as JSON Merge Patch (RFC 7396); neither can be taken away. */
export const userPatchSchema = z.strictObject({ email: z.optional(emailSchema), name: z.optional(nameSchema) })
export type UserPatch = z.output<typeof userPatchSchema>

export const userQuerySchema = z.strictObject({
  ...pageQuery,
  email: z.optional(emailSchema),
  externalId: z.optional(externalIdSchema),
  createdAfter: z.optional(instantSchema),
  createdBefore: z.optional(instantSchema),
})
export type UserQuery = z.output<typeof userQuerySchema>

export const userIdSchema = z.uuid()

/** A user as the API shows it. */
export const userSchema = z.strictObject({
  id: userIdSchema,
  email: z.string(),
  name: z.string(),
  externalId: z.nullable(z.string()),
  createdAt: shownInstantSchema,
  updatedAt: shownInstantSchema,
})
export type User = z.output<typeof userSchema>

/** `data` of `user.created` and `user.updated`: all of the user, as the sender has it then. */
export const reportedUserSchema = z.object({
  /** The sender's id of the user. */
  userId: externalIdSchema,
  email: emailSchema,
  name: nameSchema,
})
export type ReportedUser = z.output<typeof reportedUserSchema>
