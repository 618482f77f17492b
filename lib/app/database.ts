import { prepareDatabase as prepare, type Database } from '../functions-runtime/src/database/connect.ts'
import { defineModels } from './tables.ts'

/** Returns the function that defines this application's models. */
export const loadModels = async () => defineModels

/** Prepares the database with this application's models. Loads no Sequelize. */
export function prepareDatabase(settings: Parameters<typeof prepare>[0], options: Omit<Parameters<typeof prepare>[1], 'models'>): Database {
  return prepare(settings, { ...options, models: loadModels })
}
