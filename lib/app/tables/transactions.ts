import type { CreationOptional, InferAttributes, InferCreationAttributes, Model } from 'sequelize'
import { defineTable } from '../../functions-runtime/src/database/define-table.ts'
import type { TransactionStatus } from '../transactions/transaction-status.ts'

/** A payment. It may arrive before its user does, so it keeps the sender's name for the user as well. */
export interface TransactionRow extends Model<InferAttributes<TransactionRow>, InferCreationAttributes<TransactionRow>> {
  id: string
  /** What the sender calls this transaction, if it has one; unique. */
  externalId: string | null
  userId: string | null
  /** What the sender calls its user; null when the API created it, or the user was erased. */
  userExternalId: string | null
  /** Decimal text with four places; never a float. */
  amount: string
  /** ISO 4217. */
  currency: string
  status: TransactionStatus
  /** When it came into this state. */
  occurredAt: Date
  /** Place of the event that said so among those of the same instant; null when a caller of the API did. */
  reportedOrder: CreationOptional<string | null>
  createdAt: CreationOptional<Date>
  updatedAt: CreationOptional<Date>
}

export const transactions = defineTable<TransactionRow>()({
  name: 'transactions',
  model: 'Transaction',
  columns: ({ UUID, TEXT, DECIMAL, CHAR, DATE }) => ({
    id: { type: UUID, primaryKey: true },
    externalId: { type: TEXT, allowNull: true },
    userId: { type: UUID, allowNull: true },
    userExternalId: { type: TEXT, allowNull: true },
    amount: { type: DECIMAL(19, 4), allowNull: false },
    currency: { type: CHAR(3), allowNull: false },
    status: { type: TEXT, allowNull: false },
    occurredAt: { type: DATE, allowNull: false },
    reportedOrder: { type: TEXT, allowNull: true },
    createdAt: { type: DATE, allowNull: false },
    updatedAt: { type: DATE, allowNull: false },
  }),
  keep: 'forever',
})
