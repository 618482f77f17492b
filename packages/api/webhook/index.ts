import { databaseSettings } from '../../../lib/config/settings/database.ts'
import { prepareDatabase } from '../../../lib/database/connect.ts'
import { defineFunction } from '../../../lib/function/define.ts'
import { json } from '../../../lib/function/reply.ts'
import { receiveWebhook } from '../../../lib/webhooks/receive.ts'
import { sourceSettings } from '../../../lib/webhooks/sources.ts'

export const main = defineFunction({
  name: 'api/webhook',
  settings: { database: databaseSettings, sources: sourceSettings },
  setup: ({ database, sources }, { logger, timeLimitMs }) => {
    for (const weak of sources.weakSecrets) logger.warn({ event: 'webhook.secret.weak', ...weak })
    return { sources, database: prepareDatabase(database, { name: 'api/webhook', logger, timeLimitMs }) }
  },
  shutdown: ({ database }) => database.manager.gracefulShutdown(),
  routes: {
    'POST /{source}': async ({ params, headers, body }, { services: { sources, database }, logger }) => {
      const received = await receiveWebhook({ source: params.source ?? '', headers, body }, { sources, database: database.service, logger })
      return json(200, received)
    },
  },
})
