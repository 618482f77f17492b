import {
  DataTypes,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Model,
  type ModelStatic,
  type Sequelize,
} from 'sequelize'

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

export function defineUser(sequelize: Sequelize, schema: string): ModelStatic<UserRow> {
  return sequelize.define<UserRow>(
    'User',
    {
      id: { type: DataTypes.UUID, primaryKey: true },
      email: { type: DataTypes.TEXT, allowNull: true },
      name: { type: DataTypes.TEXT, allowNull: true },
      externalId: { type: DataTypes.TEXT, allowNull: true },
      reportedAt: { type: DataTypes.DATE, allowNull: true },
      reportedOrder: { type: DataTypes.TEXT, allowNull: true },
      erasedAt: { type: DataTypes.DATE, allowNull: true },
      activitiesDueAt: { type: DataTypes.DATE, allowNull: true },
      eventsDueAt: { type: DataTypes.DATE, allowNull: true },
      createdAt: { type: DataTypes.DATE, allowNull: false },
      updatedAt: { type: DataTypes.DATE, allowNull: false },
    },
    { schema, tableName: 'users', underscored: true },
  )
}
