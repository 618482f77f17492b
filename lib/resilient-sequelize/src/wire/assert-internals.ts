import type pg from 'pg'
import type { Sequelize } from 'sequelize'
import { CodedError } from '../../../invocation/src/errors.ts'
import { missingPgMembers, TESTED_PG } from './pg-internals.ts'
import { missingSequelizeMembers, TESTED_SEQUELIZE, type TransactionClass } from './sequelize-internals.ts'

export interface Libraries {
  readonly sequelize: Sequelize
  /** The class of Sequelize that `sequelize` is made of. It reads `version` from its package.json, which a bundle may not have. */
  readonly Sequelize: { readonly Transaction: TransactionClass; readonly version: string }
  readonly pg: { Client: typeof pg.Client }
}

/** Code of the warning about a version that is newer than the tested one. */
export const UNTESTED_VERSION = 'RESILIENT_SEQUELIZE_UNTESTED_VERSION'

const warned = new Set<string>()

/**
 * Refuses a Sequelize or a pg that lacks a private member on which this package relies, and warns of versions that are
 * newer than the tested ones, once each.
 * @throws CodedError `unsupported-library`, naming what is missing and the versions that are known to work.
 */
export function assertInternals({ sequelize, Sequelize, pg: library }: Libraries): void {
  const versions = [
    { name: 'sequelize', tested: TESTED_SEQUELIZE, found: unlessItThrows(() => Sequelize.version) },
    { name: 'pg', tested: TESTED_PG, found: unlessItThrows(() => pgVersion(library)) },
  ]
  const missing = [...missingSequelizeMembers(sequelize, Sequelize.Transaction), ...missingPgMembers(library)]
  if (missing.length > 0) {
    const found = versions.flatMap(version => (version.found === undefined ? [] : `${version.name} ${version.found}`)).join(' and ')
    const message = `resilient-sequelize is tested with sequelize ${TESTED_SEQUELIZE} and pg ${TESTED_PG}; ${found || 'the version found'} lacks ${missing.join(', ')}. Install the tested versions.`
    throw new CodedError(message, { code: 'unsupported-library', details: { missing } })
  }
  for (const { name, tested, found } of versions) {
    if (found === undefined || !isNewer(found, tested) || warned.has(`${name} ${found}`)) continue
    warned.add(`${name} ${found}`)
    const message = `resilient-sequelize is tested with ${name} ${tested}, not with ${name} ${found}. Every private member it uses is there; if something fails, install ${name} ${tested}.`
    process.emitWarning(message, { code: UNTESTED_VERSION })
  }
}

/**
 * The version of the very copy of pg that is used, from the package.json beside its module; `undefined` where that is not
 * to be found, as in a bundle.
 */
function pgVersion({ Client }: Libraries['pg']): string | undefined {
  const { createRequire } = process.getBuiltinModule('node:module')
  const loaded = Object.values(createRequire(process.execPath).cache).find(module => module?.exports === Client)
  if (loaded === undefined) return undefined
  const { name, version } = createRequire(loaded.filename)('../package.json') as { name?: string; version?: string }
  return name === 'pg' ? version : undefined
}

/** Whether major and minor of a version are above those of the tested one. */
function isNewer(found: string, tested: string): boolean {
  const [major = 0, minor = 0] = found.split('.').map(part => Number.parseInt(part, 10))
  const [testedMajor = 0, testedMinor = 0] = tested.split('.').map(Number)
  return major > testedMajor || (major === testedMajor && minor > testedMinor)
}

function unlessItThrows<Value>(read: () => Value): Value | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
