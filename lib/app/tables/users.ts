import type { CreationOptional, InferAttributes, InferCreationAttributes, Model } from 'sequelize'
import { defineTable } from '../../functions-runtime/src/database/define-table.ts'
import { SMOKE_MARK } from '../users/smoke-mark.ts'

/** Somebody the application knows. */
export interface UserRow extends Model<InferAttributes<UserRow>, InferCreationAttributes<UserRow>> {
  id: string
  /** As it was written; unique whatever its letter case. Null, as the name, once the user was erased. */
  email: string | null
  name: string | null
  /** What the sender of webhooks calls this user; stays when the user is erased, so that no late event brings the person back. */
  externalId: string | null
  /** When the newest event that told of this user was sent; null for one that no event has told of. */
  reportedAt: CreationOptional<Date | null>
  /** Place of that event among those of the same instant; a change comes after a creation. */
  reportedOrder: CreationOptional<string | null>
  erasedAt: CreationOptional<Date | null>
  /** Since when this user's activities wait to be erased, because they could not be at once; null when there is nothing left. */
  activitiesDueAt: CreationOptional<Date | null>
  /** Of an erased user: since when events about this user may have to be erased still; null when none is left. */
  eventsDueAt: CreationOptional<Date | null>
  createdAt: CreationOptional<Date>
  updatedAt: CreationOptional<Date>
}

export const users = defineTable<UserRow>()({
  name: 'users',
  model: 'User',
  columns: ({ UUID, TEXT, DATE }) => ({
    id: { type: UUID, primaryKey: true },
    email: { type: TEXT, allowNull: true },
    name: { type: TEXT, allowNull: true },
    externalId: { type: TEXT, allowNull: true },
    reportedAt: { type: DATE, allowNull: true },
    reportedOrder: { type: TEXT, allowNull: true },
    erasedAt: { type: DATE, allowNull: true },
    activitiesDueAt: { type: DATE, allowNull: true },
    eventsDueAt: { type: DATE, allowNull: true },
    createdAt: { type: DATE, allowNull: false },
    updatedAt: { type: DATE, allowNull: false },
  }),
  // The tombstone of an erased user stays, but for one that a deployment was tried with.
  keep: ['forever', { name: 'smokeUsers', since: 'erased_at', only: `external_id LIKE '${SMOKE_MARK}%'`, keepDays: 1 }],
})
