import {
  DataTypes,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Model,
  type ModelStatic,
  type Sequelize,
} from 'sequelize'
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

export function defineTransaction(sequelize: Sequelize, schema: string): ModelStatic<TransactionRow> {
  return sequelize.define<TransactionRow>(
    'Transaction',
    {
      id: { type: DataTypes.UUID, primaryKey: true },
      externalId: { type: DataTypes.TEXT, allowNull: true },
      userId: { type: DataTypes.UUID, allowNull: true },
      userExternalId: { type: DataTypes.TEXT, allowNull: true },
      amount: { type: DataTypes.DECIMAL(19, 4), allowNull: false },
      currency: { type: DataTypes.CHAR(3), allowNull: false },
      status: { type: DataTypes.TEXT, allowNull: false },
      occurredAt: { type: DataTypes.DATE, allowNull: false },
      reportedOrder: { type: DataTypes.TEXT, allowNull: true },
      createdAt: { type: DataTypes.DATE, allowNull: false },
      updatedAt: { type: DataTypes.DATE, allowNull: false },
    },
    { schema, tableName: 'transactions', underscored: true },
  )
}
