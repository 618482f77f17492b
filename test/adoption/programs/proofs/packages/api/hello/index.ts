import { databaseSettings, defineFunction, json, prepareDatabase } from 'functions-runtime'

export const main = defineFunction({
  name: 'api/hello',
  openBecause: 'it keeps what anybody notes',
  settings: { database: databaseSettings },
  setup: ({ database }, { logger, timeLimitMs }) => prepareDatabase(database, { name: 'api/hello', logger, timeLimitMs }),
  pool: ({ manager }) => manager.getConnectionStatus(),
  shutdown: ({ manager }) => manager.gracefulShutdown(),
  routes: {
    'PUT /notes/{name}': async ({ params: { name } }, { services: { service } }) => {
      await service.execute('keep note', ({ query }) => query('INSERT INTO notes VALUES ($name) ON CONFLICT DO NOTHING', { name }))
      return json(200, { name })
    },
  },
})
