// Written by `npm run sync`; do not edit. Each file beside this one is listed by what it exports.
import type { Migration } from 'resilient-sequelize'

export const migrations: readonly Migration[] = [
  // Oldest first.
]
