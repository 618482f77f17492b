import { createDefineApi } from '../functions-runtime/src/api/define-api.ts'
import { prepareDatabase } from './database.ts'

/** Defines a function that is an API, on the database of this application. */
export const defineApi = createDefineApi({ prepareDatabase, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } })
