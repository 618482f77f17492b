import { databaseSettings } from '../../../../lib/config/settings/database.ts'
import { prepareDatabase } from '../../../../lib/database/connect.ts'
import { defineFunction } from '../../../../lib/function/define.ts'
import { json } from '../../../../lib/function/reply.ts'

/** A function of ours whose one call keeps its connection busy for as many ms as its path says. */
export const main = defineFunction({
  name: 'bench/sleep',
  settings: { database: databaseSettings },
  setup: ({ database }, { logger, timeLimitMs }) => prepareDatabase(database, { name: 'bench/sleep', logger, timeLimitMs }),
  shutdown: ({ manager }) => manager.gracefulShutdown(),
  routes: {
    'GET /{ms}': async ({ params }, { services: { service } }) => {
      await service.execute('bench.sleep', work => work.query('SELECT pg_sleep($seconds::float8)', { seconds: Number(params.ms) / 1_000 }), {
        mode: 'read',
      })
      return json(200, { slept: Number(params.ms) })
    },
  },
})
