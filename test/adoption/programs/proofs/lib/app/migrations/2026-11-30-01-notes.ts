import type { Migration } from 'resilient-sequelize'

export const notes: Migration = {
  name: '2026-11-30-notes',
  async up({ query }) {
    await query('CREATE TABLE notes (name text PRIMARY KEY)')
  },
}
