import { setImmediate } from 'node:timers/promises'
import type * as Sequelize from 'sequelize'

type Package = typeof Sequelize

/**
 * Loads sequelize. In a bundle that is done piece by piece (see its stand-in), so that the answers of a server that is
 * being connected to meanwhile are taken up between them.
 */
export async function loadSequelize(): Promise<Package> {
  await setImmediate()
  const sequelize: Package & { readonly pieces?: readonly (() => unknown)[] } = await import('sequelize')
  for (const load of sequelize.pieces ?? []) {
    await setImmediate()
    load()
  }
  return sequelize
}
