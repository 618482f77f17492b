import type { Migration } from 'resilient-sequelize'

export const migrations: readonly Migration[] = []
