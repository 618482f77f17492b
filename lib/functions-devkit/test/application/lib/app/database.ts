import { prepareDatabase as prepare, type Database } from '../../../../../functions-runtime/src/database/connect.ts'
import type { DefineModels } from '../../../../../functions-runtime/src/database/models.ts'

export const loadModels = async () => (await import('./models/index.ts')).defineModels as unknown as DefineModels

export function prepareDatabase(settings: Parameters<typeof prepare>[0], options: Omit<Parameters<typeof prepare>[1], 'models'>): Database {
  return prepare(settings, { ...options, models: loadModels })
}
