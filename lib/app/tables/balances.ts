import type { InferAttributes, InferCreationAttributes, Model } from 'sequelize'
import { defineTable } from '../../functions-runtime/src/database/define-table.ts'

/** The sum of a user's completed transactions in one currency. Only `changeTransaction` and `joinTransactions` write it. */
export interface BalanceRow extends Model<InferAttributes<BalanceRow>, InferCreationAttributes<BalanceRow>> {
  userId: string
  /** ISO 4217. */
  currency: string
  /** Decimal text with four places. */
  amount: string
  updatedAt: Date
}

export const balances = defineTable<BalanceRow>()({
  name: 'balances',
  model: 'Balance',
  columns: ({ UUID, CHAR, DECIMAL, DATE }) => ({
    userId: { type: UUID, primaryKey: true },
    currency: { type: CHAR(3), primaryKey: true },
    amount: { type: DECIMAL(38, 4), allowNull: false },
    updatedAt: { type: DATE, allowNull: false },
  }),
  options: { timestamps: false },
  keep: 'forever',
})
