import {
  DataTypes,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Model,
  type ModelStatic,
  type Sequelize,
} from 'sequelize'

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

export function defineActivity(sequelize: Sequelize, schema: string): ModelStatic<ActivityRow> {
  return sequelize.define<ActivityRow>(
    'Activity',
    {
      id: { type: DataTypes.UUID, primaryKey: true },
      userId: { type: DataTypes.UUID, allowNull: false },
      kind: { type: DataTypes.TEXT, allowNull: false },
      details: { type: DataTypes.JSONB, allowNull: true },
      ip: { type: DataTypes.TEXT, allowNull: true },
      userAgent: { type: DataTypes.TEXT, allowNull: true },
      createdAt: { type: DataTypes.DATE, allowNull: false },
    },
    { schema, tableName: 'activities', underscored: true, updatedAt: false },
  )
}
