import type { ApiDescription } from '../../../../../../functions-runtime/src/api/openapi.ts'
import { scopes } from '../settings/api.ts'
import { operations, userSchema } from './operations.ts'

export const api: ApiDescription = {
  operations,
  scopes,
  info: {
    title: 'Users',
    version: '1.0.0',
    summary: 'Users.',
    description: 'The API of the tests.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  servers: [{ url: 'http://127.0.0.1:8080/user', description: '`npm start`.' }],
  tags: [{ name: 'users', description: 'Users.' }],
  tagOf: () => 'users',
  parameters: { userId: 'The id of a user.' },
  queries: {},
  named: new Map<unknown, string>([[userSchema, 'User']]),
}
