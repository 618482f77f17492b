import { prepareAlerts } from '../../../lib/functions-ops/src/alerts/prepare.ts'
import { alertSettings } from '../../../lib/functions-ops/src/settings/alerts.ts'
import { bufferSettings } from '../../../lib/webhook-inbox/src/settings/buffer.ts'
import { databaseSettings } from '../../../lib/functions-runtime/src/database/settings.ts'
import { inboxSettings } from '../../../lib/webhook-inbox/src/settings/inbox.ts'
import { payloadSettings } from '../../../lib/webhook-inbox/src/settings/payload.ts'
import { prepareDatabase } from '../../../lib/app/database.ts'
import { defineFunction } from '../../../lib/functions-runtime/src/edge/define.ts'
import { json } from '../../../lib/functions-runtime/src/edge/reply.ts'
import { createRedisBuffer } from '../../../lib/webhook-inbox/src/buffer/redis-buffer.ts'
import { receiveWebhook } from '../../../lib/webhook-inbox/src/inbox/receive.ts'
import { sourceSettings } from '../../../lib/app/webhooks/sources.ts'

export const main = defineFunction({
  name: 'api/webhook',
  openBecause: 'it checks the signature of each event',
  settings: {
    database: databaseSettings,
    sources: sourceSettings,
    keys: payloadSettings,
    buffer: bufferSettings,
    inbox: inboxSettings,
    alerts: alertSettings,
  },
  setup: ({ database: settings, sources, keys, buffer, inbox, alerts }, { logger, timeLimitMs }) => {
    for (const weak of sources.weakSecrets) logger.warn({ event: 'webhook.secret.weak', ...weak })
    const database = prepareDatabase(settings, { name: 'api/webhook', logger, timeLimitMs })
    const { counters } = database.service
    return {
      ...prepareAlerts({ settings: alerts, redis: buffer, logger, counters }),
      sources,
      keys,
      ...inbox,
      buffer: buffer === undefined ? undefined : createRedisBuffer(buffer, keys),
      database,
    }
  },
  pool: ({ database }) => database.manager.getConnectionStatus(),
  shutdown: ({ database }) => database.manager.gracefulShutdown(),
  routes: {
    'POST /{source}': async ({ params, headers, body }, { services: { database, ...services }, deadline, logger }) => {
      const { service } = database
      const options = { ...services, database: service, counters: service.counters, deadline, logger }
      const received = await receiveWebhook({ source: params.source ?? '', headers, body }, options)
      return json(received.status, received.body)
    },
  },
})
