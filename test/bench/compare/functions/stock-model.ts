import { randomUUID } from 'node:crypto'
import { DataTypes, type Options, type Sequelize } from 'sequelize'

const SEED = '0198c0de-0000-7000-8000-000000000001'

/** What both ways with a stock Sequelize connect with. */
export function options(pool: Options['pool']): Options {
  return { dialect: 'postgres', logging: false, dialectOptions: { ssl: { ca: process.env.DB_CA_CERT } }, ...(pool ? { pool } : {}) }
}

/** The calls, on the model that ours has too. */
export function callsOn(sequelize: Sequelize): (kind: 'read' | 'write') => Promise<void> {
  const User = sequelize.define(
    'User',
    {
      id: { type: DataTypes.UUID, primaryKey: true },
      email: { type: DataTypes.TEXT, allowNull: false },
      name: { type: DataTypes.TEXT, allowNull: false },
      externalId: { type: DataTypes.TEXT, allowNull: true },
    },
    { tableName: 'users', underscored: true },
  )
  return async kind => {
    if (kind === 'write') {
      await sequelize.transaction(transaction =>
        User.create({ id: randomUUID(), email: `${randomUUID()}@example.com`, name: 'Bench' }, { transaction }),
      )
    } else if ((await User.findByPk(SEED)) === null) throw new Error('nobody was found')
  }
}
