import { createRequire } from 'node:module'
import type * as SequelizeModule from 'sequelize'
import type { Options } from 'sequelize'
import type { SequelizeClass } from '../case.ts'
import type { SubjectOrder } from './orders.ts'

/** What cases run on. */
export interface Subject {
  /** The class that an application makes instances of. */
  readonly Class: SequelizeClass
  /** Sequelize itself: the same class, or the one it extends. */
  readonly Sequelize: SequelizeClass
  readonly DataTypes: typeof SequelizeModule.DataTypes
  /** Options that the subject adds to an application's. */
  readonly options: Options
}

interface Packages {
  readonly Sequelize: SequelizeClass
  readonly DataTypes: typeof SequelizeModule.DataTypes
  readonly ResilientSequelize?: unknown
}

/** Loads the classes that the order names. */
export async function loadSubject({ kind, profile, bundle }: SubjectOrder): Promise<Subject> {
  const { Sequelize, DataTypes, ResilientSequelize } = await loadPackages(kind, bundle)
  const Class = (kind === 'stock' ? Sequelize : ResilientSequelize) as SequelizeClass
  const options = profile === undefined ? {} : ({ resilience: { profile } } as Options)
  return { Class, Sequelize, DataTypes, options }
}

async function loadPackages(kind: SubjectOrder['kind'], bundle: string | undefined): Promise<Packages> {
  if (bundle !== undefined) return (createRequire(bundle)(bundle) as { main(): Packages }).main()
  if (kind === 'stock') return createRequire(import.meta.url)('sequelize') as Packages
  return (await import('../application.ts')).main() as Packages
}
