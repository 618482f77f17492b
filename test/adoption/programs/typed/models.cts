// The models of the application, in CommonJS.
import { DataTypes, Model, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import { ResilientSequelize } from 'resilient-sequelize'

export const sequelize = new ResilientSequelize(process.env['DATABASE_URL'] ?? '', { logging: false, pool: { max: 1 } })

export class Note extends Model<InferAttributes<Note>, InferCreationAttributes<Note>> {
  declare text: string
}
Note.init({ text: DataTypes.STRING }, { sequelize, modelName: 'note' })
