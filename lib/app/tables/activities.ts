import type { CreationOptional, InferAttributes, InferCreationAttributes, Model } from 'sequelize'
import { defineTable } from '../../functions-runtime/src/database/define-table.ts'

/** Something that a user did. */
export interface ActivityRow extends Model<InferAttributes<ActivityRow>, InferCreationAttributes<ActivityRow>> {
  id: string
  userId: string
  kind: string
  details: Record<string, unknown> | null
  /** The caller's address as the caller's side claims it: for people to read, never for a decision. */
  ip: CreationOptional<string | null>
  /** Likewise. */
  userAgent: CreationOptional<string | null>
  createdAt: CreationOptional<Date>
}

export const activities = defineTable<ActivityRow>()({
  name: 'activities',
  model: 'Activity',
  columns: ({ UUID, TEXT, JSONB, DATE }) => ({
    id: { type: UUID, primaryKey: true },
    userId: { type: UUID, allowNull: false },
    kind: { type: TEXT, allowNull: false },
    details: { type: JSONB, allowNull: true },
    ip: { type: TEXT, allowNull: true },
    userAgent: { type: TEXT, allowNull: true },
    createdAt: { type: DATE, allowNull: false },
  }),
  options: { updatedAt: false },
  keep: { since: 'created_at', keepDays: { setting: 'ACTIVITY_RETENTION_DAYS', fallback: 90 } },
})
