import {
  DataTypes,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Model,
  type ModelStatic,
  type Sequelize,
} from 'sequelize'

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

export function defineIdempotencyKey(sequelize: Sequelize, schema: string): ModelStatic<IdempotencyKeyRow> {
  return sequelize.define<IdempotencyKeyRow>(
    'IdempotencyKey',
    {
      id: { type: DataTypes.UUID, primaryKey: true },
      caller: { type: DataTypes.TEXT, allowNull: false },
      key: { type: DataTypes.TEXT, allowNull: false },
      requestHash: { type: DataTypes.BLOB, allowNull: true },
      answer: { type: DataTypes.JSON, allowNull: true },
      userId: { type: DataTypes.UUID, allowNull: false },
      createdAt: { type: DataTypes.DATE, allowNull: false },
    },
    { schema, tableName: 'idempotency_keys', underscored: true, updatedAt: false },
  )
}
