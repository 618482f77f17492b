import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { DataTypes, Sequelize } from 'sequelize'
import { askedFor, failed, type RawAnswer, type RawEvent } from './web.ts'

// The first rival: Sequelize as its documentation begins, in the scope of the module, with the pool it has by default.

const sequelize = new Sequelize(process.env.DATABASE_URL ?? '', { dialectModule: pg, logging: false })
const User = sequelize.define(
  'User',
  { id: { type: DataTypes.UUID, primaryKey: true }, email: DataTypes.TEXT, name: DataTypes.TEXT },
  { tableName: 'users', underscored: true },
)

export async function main(event: RawEvent): Promise<RawAnswer> {
  try {
    const asked = askedFor(event)
    if (!('id' in asked)) return { statusCode: 201, body: await User.create({ id: randomUUID(), ...asked }) }
    const row = await User.findByPk(asked.id)
    return { statusCode: row ? 200 : 404, body: row }
  } catch (error) {
    return failed(error)
  }
}
