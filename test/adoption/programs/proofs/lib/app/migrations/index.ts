// Written by `npm run sync`; do not edit. Each file beside this one is listed by what it exports.
import type { Migration } from 'resilient-sequelize'
import { notes } from './2026-11-30-01-notes.ts'

export const migrations: readonly Migration[] = [
  // Oldest first.
  notes,
]
