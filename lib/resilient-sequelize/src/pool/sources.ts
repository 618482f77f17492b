import type { Sequelize } from 'sequelize'
import type { GuardedClient } from '../wire/guarded-client.ts'
import type { PoolSource } from './generation.ts'

const SOURCE = Symbol('pool source')

export function setSource(sequelize: Sequelize, source: PoolSource): void {
  Object.defineProperty(sequelize, SOURCE, { value: source })
}

/** What an instance of ResilientSequelize gives to its pools. */
export function sourceOf(sequelize: Sequelize): PoolSource {
  const source = (sequelize as { [SOURCE]?: PoolSource })[SOURCE]
  if (source === undefined) throw new TypeError('This is no instance of ResilientSequelize.')
  return source
}

/** A connection outside of any pool, for the caller alone to end. */
export function connectionOf(sequelize: Sequelize, how: { withOptions: boolean }): Promise<GuardedClient> {
  return sourceOf(sequelize).connect(how)
}
