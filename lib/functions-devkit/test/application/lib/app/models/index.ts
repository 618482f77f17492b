import { DataTypes, type Sequelize } from 'sequelize'

/** Defines the models. Their types are not declared: those of the application that is being tested would be in the way. */
export function defineModels(sequelize: Sequelize, schema: string) {
  const options = { schema, underscored: true }
  return {
    User: sequelize.define(
      'User',
      {
        id: { type: DataTypes.UUID, primaryKey: true },
        email: { type: DataTypes.TEXT },
        name: { type: DataTypes.TEXT },
        externalId: { type: DataTypes.TEXT },
      },
      { ...options, tableName: 'users' },
    ),
    WebhookEvent: sequelize.define(
      'WebhookEvent',
      {
        id: { type: DataTypes.UUID, primaryKey: true },
        source: { type: DataTypes.TEXT },
        externalId: { type: DataTypes.TEXT },
        type: { type: DataTypes.TEXT },
        receivedAt: { type: DataTypes.DATE },
      },
      { ...options, tableName: 'webhook_events', timestamps: false },
    ),
    Transaction: sequelize.define(
      'Transaction',
      {
        externalId: { type: DataTypes.TEXT, primaryKey: true },
        userExternalId: { type: DataTypes.TEXT },
        amount: { type: DataTypes.DECIMAL(19, 4) },
        currency: { type: DataTypes.CHAR(3) },
        status: { type: DataTypes.TEXT },
      },
      { ...options, tableName: 'transactions', timestamps: false },
    ),
  }
}

export type Models = ReturnType<typeof defineModels>
