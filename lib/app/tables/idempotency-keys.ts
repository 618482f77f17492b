import type { CreationOptional, InferAttributes, InferCreationAttributes, Model } from 'sequelize'
import { defineTable } from '../../functions-runtime/src/database/define-table.ts'

/** A key by which a caller may repeat a request: caller and key are unique, which decides who of several makes the thing. */
export interface IdempotencyKeyRow extends Model<InferAttributes<IdempotencyKeyRow>, InferCreationAttributes<IdempotencyKeyRow>> {
  id: string
  /** Name of the API key. */
  caller: string
  key: string
  /** SHA-256 of what was asked for; null, as the answer, once the user was erased. */
  requestHash: Buffer | null
  /** The body that the first request was answered with. */
  answer: Record<string, unknown> | null
  userId: string
  createdAt: CreationOptional<Date>
}

export const idempotencyKeys = defineTable<IdempotencyKeyRow>()({
  name: 'idempotency_keys',
  model: 'IdempotencyKey',
  columns: ({ UUID, TEXT, BLOB, JSON, DATE }) => ({
    id: { type: UUID, primaryKey: true },
    caller: { type: TEXT, allowNull: false },
    key: { type: TEXT, allowNull: false },
    requestHash: { type: BLOB, allowNull: true },
    answer: { type: JSON, allowNull: true },
    userId: { type: UUID, allowNull: false },
    createdAt: { type: DATE, allowNull: false },
  }),
  options: { updatedAt: false },
  // A request can be repeated for one day.
  keep: { since: 'created_at', keepDays: 1 },
})
