import { readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { APPLICATION_FOLDER } from '../../src/application-folder.ts'

export { APPLICATION_FOLDER }
/** The checkout that these tests belong to. */
export const REPOSITORY = resolve(import.meta.dirname, '../../../..')

/**
 * Whether the tests run with the application of this repository. Those of the packages have their own in `test/application`, so
 * that they do not depend on it; `.config/vitest.config.ts` sets APPLICATION_FOLDER.
 */
export const isOfRepository = APPLICATION_FOLDER === REPOSITORY

const ITS_PATHS = /^(?:lib\/app|packages|project\.yml)(?:\/|$)/

/** Where a file of a checkout comes from. Those of the application come from where it lies. */
export function originOf(path: string): string {
  return join(ITS_PATHS.test(path) ? APPLICATION_FOLDER : REPOSITORY, path)
}

/** Reads a file for a checkout, where the application lies at its usual place: imports of the packages lead there from it. */
export function readForCheckout(path: string): Buffer {
  const content = readFileSync(originOf(path))
  if (isOfRepository || !ITS_PATHS.test(path) || !path.endsWith('.ts')) return content
  const folder = dirname(path)
  const own = `${relative(REPOSITORY, APPLICATION_FOLDER)}/`
  const inCheckout = (specifier: string) => {
    const target = relative(REPOSITORY, resolve(APPLICATION_FOLDER, folder, specifier))
    return target.startsWith(own) ? specifier : relative(folder, target)
  }
  return Buffer.from(content.toString().replace(/(?<=(?:from |import\()')\.[^']+(?=')/g, inCheckout))
}
