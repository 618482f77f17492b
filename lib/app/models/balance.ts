import { DataTypes, type InferAttributes, type InferCreationAttributes, type Model, type ModelStatic, type Sequelize } from 'sequelize'

/** The sum of a user's completed transactions in one currency. Only `changeTransaction` and `joinTransactions` write it. */
export interface BalanceRow extends Model<InferAttributes<BalanceRow>, InferCreationAttributes<BalanceRow>> {
  userId: string
  /** ISO 4217. */
  currency: string
  /** Decimal text with four places. */
  amount: string
  updatedAt: Date
}

export function defineBalance(sequelize: Sequelize, schema: string): ModelStatic<BalanceRow> {
  return sequelize.define<BalanceRow>(
    'Balance',
    {
      userId: { type: DataTypes.UUID, primaryKey: true },
      currency: { type: DataTypes.CHAR(3), primaryKey: true },
      amount: { type: DataTypes.DECIMAL(38, 4), allowNull: false },
      updatedAt: { type: DataTypes.DATE, allowNull: false },
    },
    { schema, tableName: 'balances', underscored: true, timestamps: false },
  )
}
