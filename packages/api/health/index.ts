import { alertSettings } from '../../../lib/functions-ops/src/settings/alerts.ts'
import { bufferSettings } from '../../../lib/webhook-inbox/src/settings/buffer.ts'
import { databaseSettings } from '../../../lib/functions-runtime/src/database/settings.ts'
import { healthKeySettings, scheduleSettings } from '../../../lib/functions-ops/src/settings/health.ts'
import { logSettings } from '../../../lib/functions-runtime/src/settings/log.ts'
import { thresholdSettings } from '../../../lib/functions-ops/src/settings/thresholds.ts'
import { readSettings, settled } from '../../../lib/functions-runtime/src/settings/settings.ts'
import { defineFunction } from '../../../lib/functions-runtime/src/edge/define.ts'
import { counters } from '../../../lib/app/counters.ts'
import { migrations } from '../../../lib/app/migrations/index.ts'
import { prepareHealth } from '../../../lib/functions-ops/src/health/health.ts'

// It bears wrong settings, its own too: somebody has to tell of them.
export const main = defineFunction({
  name: 'api/health',
  openBecause: 'it tells no secret without its key',
  schedules: [{ name: 'health-every-5-minutes', cron: '*/5 * * * *' }],
  fewConnections: 2,
  settings: {
    database: settled(databaseSettings),
    buffer: settled(bufferSettings),
    keys: settled(healthKeySettings),
    schedule: settled(scheduleSettings),
    alerts: settled(alertSettings),
    thresholds: settled(thresholdSettings),
    log: settled(logSettings),
  },
  setup: (settings, { logger, timeLimitMs, ...tools }) => {
    const defaults = readSettings({ schedule: scheduleSettings, thresholds: thresholdSettings }, {})
    return prepareHealth(settings, {
      name: 'api/health',
      logger,
      timeLimitMs,
      migrations: migrations.map(({ name }) => name),
      counters,
      endpoints: { database: ['/webhook/{source}', '/user'], buffer: ['/webhook/{source}'] },
      defaults,
      pools: () => tools.pools(),
    })
  },
  pool: health => health.pool(),
  shutdown: health => health.shutdown(),
  routes: {
    'GET /': (_request, { services: health }) => health.alive(),
    'GET /ready': ({ headers }, { services: health }) => health.ready(headers),
    'GET /database': ({ headers }, { services: health }) => health.database(headers),
    'GET /metrics': ({ headers }, { services: health }) => health.metrics(headers),
  },
  invoked: async (_input, { services: health, deadline }) => ({ ...(await health.check(deadline)) }),
})
