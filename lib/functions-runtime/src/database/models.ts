import type { Sequelize } from 'sequelize'

/**
 * The application's models, which every unit of work has. The application declares their types by module augmentation, next to
 * their definitions.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- filled by module augmentation
export interface ApplicationModels {}

/** Defines the models on a Sequelize instance, with their tables in `schema`. */
export type DefineModels = (sequelize: Sequelize, schema: string) => ApplicationModels
