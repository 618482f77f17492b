import { databaseSettings } from '../../../lib/config/settings/database.ts'
import { apiSettings } from '../../../lib/config/settings/api.ts'
import { checkContent, checkJsonType, checkSize, parseJson } from '../../../lib/content.ts'
import { prepareDatabase } from '../../../lib/database/connect.ts'
import { requireKey } from '../../../lib/function/auth.ts'
import { defineFunction } from '../../../lib/function/define.ts'
import { json } from '../../../lib/function/reply.ts'
import { newUserSchema } from '../../../lib/users/schema.ts'
import { createUser, getUser } from '../../../lib/users/users.ts'

export const main = defineFunction({
  name: 'api/user',
  settings: { database: databaseSettings, api: apiSettings },
  setup: ({ database, api }, { logger, timeLimitMs }) => ({ api, database: prepareDatabase(database, { name: 'api/user', logger, timeLimitMs }) }),
  shutdown: ({ database }) => database.manager.gracefulShutdown(),
  routes: {
    'POST /': async ({ headers, body, locate }, { services: { api, database } }) => {
      requireKey(headers, api.key)
      checkSize(body)
      checkJsonType(headers['content-type'])
      const user = await createUser(checkContent(newUserSchema, parseJson(body)), database.service)
      return json(201, { ...user }, { location: locate(user.id) })
    },
    'GET /{id}': async ({ headers, params }, { services: { api, database } }) => {
      requireKey(headers, api.key)
      return json(200, { ...(await getUser(params.id ?? '', database.service)) })
    },
  },
})
