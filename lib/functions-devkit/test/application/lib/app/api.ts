import { createDefineApi } from '../../../../../functions-runtime/src/api/define-api.ts'
import { prepareDatabase } from './database.ts'

export const defineApi = createDefineApi({ prepareDatabase, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } })
