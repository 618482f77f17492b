import { recordUser } from '../../users/record.ts'
import { reportedUserSchema } from '../../users/schema.ts'
import { defineHandler } from '../../../webhook-inbox/src/inbox/handler.ts'

export const userUpdated = defineHandler({
  type: 'user.updated',
  schema: reportedUserSchema,
  needsDatabase: true,
  concerns: ({ userId }) => userId,
  async apply({ data, occurredAt, order }, work) {
    return recordUser(data, { occurredAt, order, isChange: true }, work)
  },
})
