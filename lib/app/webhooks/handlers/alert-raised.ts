import * as z from 'zod/mini'
import { storableText } from '../../../functions-runtime/src/content/storable-text.ts'
import { defineHandler } from '../../../webhook-inbox/src/inbox/handler.ts'

/**
 * Passes an alert on to whoever hears of ours, and to the log, also while the database is away. The same alert may stand
 * there twice: its event's id tells.
 */
export const alertRaised = defineHandler({
  type: 'alert.raised',
  schema: z.object({ code: storableText({ maxLength: 100 }), severity: z.enum(['info', 'warning', 'critical']) }),
  needsDatabase: false,
  async apply({ source, id, data: { code, severity } }, { logger, alert }) {
    logger.warn({ event: 'alert.raised', source, eventId: id, code, severity })
    await alert({ code: `${source}/${code}`, severity, summary: `An alert of the source ${source}.` })
  },
})
