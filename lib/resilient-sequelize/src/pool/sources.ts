import type { Sequelize } from 'sequelize'
import { notResilient } from '../errors/not-resilient.ts'
import type { PoolSource } from './generation.ts'

const SOURCE = Symbol('pool source')

export function setSource(sequelize: Sequelize, source: PoolSource): void {
  Object.defineProperty(sequelize, SOURCE, { value: source })
}

/** What an instance of ResilientSequelize gives to its pools. */
export function sourceOf(sequelize: Sequelize): PoolSource {
  const source = (sequelize as { [SOURCE]?: PoolSource } | undefined)?.[SOURCE]
  if (source === undefined) throw notResilient()
  return source
}
