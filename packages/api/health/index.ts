import { databaseSettings } from '../../../lib/config/settings/database.ts'
import { prepareDatabase } from '../../../lib/database/connect.ts'
import { defineFunction } from '../../../lib/function/define.ts'
import { json } from '../../../lib/function/reply.ts'
import { checkDatabase } from '../../../lib/health/database.ts'

// Shorter than any deadline, so that the answer is the check's and not the clock's.
const CHECK_MS = 3_000

export const main = defineFunction({
  name: 'api/health',
  settings: { database: databaseSettings },
  setup: ({ database }, { logger, timeLimitMs }) => prepareDatabase(database, { name: 'api/health', logger, timeLimitMs }),
  shutdown: ({ manager }) => manager.gracefulShutdown(),
  namesBadSettings: true,
  routes: {
    'GET /': () => json(200, { status: 'pass' }, { 'cache-control': 'no-store' }),
    'GET /database': async (_request, { services: { manager }, deadline }) => {
      const health = await checkDatabase(manager, { withinMs: Math.min(CHECK_MS, deadline.remainingMs()) })
      return json(health.status === 'pass' ? 200 : 503, { ...health }, { 'cache-control': 'no-store' })
    },
  },
  invoked: async (_input, { services: { manager }, deadline }) => ({
    ...(await checkDatabase(manager, { withinMs: Math.min(CHECK_MS, deadline.remainingMs()) })),
  }),
})
