// What a bundled application would import: the build makes it small like any function.
import { DataTypes, Sequelize } from 'sequelize'
import { ResilientSequelize } from '../../src/index.ts'

export const main = () => ({ Sequelize, DataTypes, ResilientSequelize })
