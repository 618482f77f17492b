import * as z from 'zod/mini'
import { defineHandler } from '../../../../../../../webhook-inbox/src/inbox/handler.ts'

export const smokePing = defineHandler({ type: 'smoke.ping', schema: z.unknown(), needsDatabase: true, async apply() {} })
