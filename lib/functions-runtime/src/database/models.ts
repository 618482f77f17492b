import type { Sequelize } from 'sequelize'

/**
 * The application's models. It declares them by adding to this interface (`declare module`), next to where it defines them;
 * every unit of work then has them, with their types.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- The application fills it.
export interface ApplicationModels {}

/** Defines the models on one Sequelize instance, with their tables in `schema`. */
export type DefineModels = (sequelize: Sequelize, schema: string) => ApplicationModels
