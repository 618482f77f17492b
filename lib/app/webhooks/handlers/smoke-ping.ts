import * as z from 'zod/mini'
import { defineHandler } from '../../../webhook-inbox/src/inbox/handler.ts'

/** Changes nothing: proves the way from a sender to the inbox. */
export const smokePing = defineHandler({
  type: 'smoke.ping',
  schema: z.unknown(),
  needsDatabase: true,
  async apply() {},
})
