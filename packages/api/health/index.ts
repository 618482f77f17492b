import { alertSettings } from '../../../lib/config/settings/alerts.ts'
import { bufferSettings } from '../../../lib/config/settings/buffer.ts'
import { databaseSettings } from '../../../lib/config/settings/database.ts'
import { healthKeySettings, scheduleSettings } from '../../../lib/config/settings/health.ts'
import { logSettings } from '../../../lib/config/settings/log.ts'
import { thresholdSettings } from '../../../lib/config/settings/thresholds.ts'
import { readSettings, settled } from '../../../lib/config/settings.ts'
import { defineFunction } from '../../../lib/function/define.ts'
import { prepareHealth } from '../../../lib/health/health.ts'

// It bears wrong settings, its own too: somebody has to tell of them.
export const main = defineFunction({
  name: 'api/health',
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
    return prepareHealth(settings, { name: 'api/health', logger, timeLimitMs, defaults, pools: () => tools.pools() })
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
