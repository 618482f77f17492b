import { recordUser } from '../../users/record.ts'
import { reportedUserSchema } from '../../users/schema.ts'
import { defineHandler } from '../handler.ts'

export const userUpdated = defineHandler({
  type: 'user.updated',
  schema: reportedUserSchema,
  needsDatabase: true,
  concerns: ({ userId }) => userId,
  async apply({ data, occurredAt, order }, work) {
    return recordUser(data, { occurredAt, order, isChange: true }, work)
  },
})
