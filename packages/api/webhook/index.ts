import { prepareAlerts } from '../../../lib/alerts/prepare.ts'
import { alertSettings } from '../../../lib/config/settings/alerts.ts'
import { bufferSettings } from '../../../lib/config/settings/buffer.ts'
import { databaseSettings } from '../../../lib/config/settings/database.ts'
import { inboxSettings } from '../../../lib/config/settings/inbox.ts'
import { payloadSettings } from '../../../lib/config/settings/payload.ts'
import { prepareDatabase } from '../../../lib/database/connect.ts'
import { defineFunction } from '../../../lib/function/define.ts'
import { json } from '../../../lib/function/reply.ts'
import { createRedisBuffer } from '../../../lib/webhooks/buffer/redis-buffer.ts'
import { receiveWebhook } from '../../../lib/webhooks/receive.ts'
import { sourceSettings } from '../../../lib/webhooks/sources.ts'

export const main = defineFunction({
  name: 'api/webhook',
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
