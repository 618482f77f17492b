import { databaseSettings, defineFunction, json, prepareDatabase } from 'functions-runtime'

export const main = defineFunction({
  name: 'api/hello',
  openBecause: 'it only greets',
  settings: { database: databaseSettings },
  setup: ({ database }, { logger, timeLimitMs }) => prepareDatabase(database, { name: 'api/hello', logger, timeLimitMs }),
  pool: ({ manager }) => manager.getConnectionStatus(),
  shutdown: ({ manager }) => manager.gracefulShutdown(),
  routes: {
    'GET /': () => json(200, { greeting: 'Hello' }),
    'GET /migrations': async (_request, { services: { service } }) => {
      const applied = await service.execute('list migrations', ({ query }) => query<{ name: string }>('SELECT name FROM schema_migrations'))
      return json(200, { applied: applied.map(({ name }) => name) })
    },
  },
})
