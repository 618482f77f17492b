import { randomUUID } from 'node:crypto'
import { databaseSettings } from '../../../../lib/functions-runtime/src/database/settings.ts'
import { prepareDatabase } from '../../../../lib/functions-devkit/test/application/lib/app/database.ts'
import type { Models } from '../../../../lib/functions-devkit/test/application/lib/app/models/index.ts'
import { defineFunction } from '../../../../lib/functions-runtime/src/edge/define.ts'
import { json } from '../../../../lib/functions-runtime/src/edge/reply.ts'

const usersOf = (models: unknown) => (models as Models).User

/** A function of ours whose one call writes a row and keeps its connection busy for as many ms as its path says. */
export const main = defineFunction({
  name: 'bench/sleep',
  settings: { database: databaseSettings },
  setup: ({ database }, { logger, timeLimitMs }) => prepareDatabase(database, { name: 'bench/sleep', logger, timeLimitMs }),
  shutdown: ({ manager }) => manager.gracefulShutdown(),
  routes: {
    'POST /{ms}': async ({ params }, { services: { service } }) => {
      const id = randomUUID()
      await service.execute('bench.sleep', async ({ models, query }) => {
        await usersOf(models).create({ id, email: `${id}@example.com`, name: 'Bench' })
        await query('SELECT pg_sleep($seconds::float8)', { seconds: Number(params.ms) / 1_000 })
      })
      return json(201, { slept: Number(params.ms) })
    },
  },
})
