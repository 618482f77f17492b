import { Sequelize } from 'sequelize'
import { callsOn, options } from './stock-model.ts'

// A Sequelize in module scope with its own defaults, never closed.

export const call = callsOn(new Sequelize(process.env.DATABASE_URL ?? '', options(undefined)))
