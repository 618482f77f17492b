import { prepareDatabase as prepare, type Database } from '../functions-runtime/src/database/connect.ts'

/** Loads what defines the models of this application. */
export const loadModels = async () => (await import('./models/index.ts')).defineModels

/** As `prepareDatabase` of the runtime, with the models of this application. Loads neither Sequelize nor the models yet. */
export function prepareDatabase(settings: Parameters<typeof prepare>[0], options: Omit<Parameters<typeof prepare>[1], 'models'>): Database {
  return prepare(settings, { ...options, models: loadModels })
}
