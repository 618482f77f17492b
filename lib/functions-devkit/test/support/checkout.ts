import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, relative } from 'node:path'
import { originOf, readForCheckout, REPOSITORY } from './tested-application.ts'

/** A checkout that a test may build in and change. */
export interface Checkout {
  readonly folder: string
  write(path: string, text: string): void
  /** Writes a file again as it was in the beginning. */
  restore(path: string): void
  remove(): void
}

// What a build or a deploy leaves, and a fresh checkout does not have.
const LEFT_BEHIND = /(?:^|\/)(?:dist|node_modules|\.deployed|\.include|__deployer__\.zip)(?:\/|$)/
// It comes from where the tests have it.
const APPLICATION = 'lib/app'

/** What build.sh is made of, for a checkout without the rest. */
export const BUILDER = [
  'build.sh',
  'lib/build.sh',
  'lib/functions-devkit/bin',
  'lib/functions-devkit/src',
  'lib/doctl-project-schema/src',
  'package.json',
]

/**
 * Copies parts of this checkout, with the application of the tests in place of ours, into a folder of its own, without build
 * products; the npm packages are shared.
 */
export function copyCheckout(paths: readonly string[]): Checkout {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'checkout-')))
  // PostgreSQL runs as another user when the tests run as root, and has to get in.
  chmodSync(folder, 0o755)
  copyFiles(paths, folder)
  linkPackages(folder)
  const write = (path: string, text: string) => writeInto(folder, path, text)
  return {
    folder,
    write,
    restore: path => write(path, readForCheckout(path).toString()),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Lets a checkout use the npm packages of this one. */
export function linkPackages(folder: string): void {
  symlinkSync(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'))
}

/**
 * The variables of this process for the programs of a checkout. Its application lies where every other has it, so
 * `APPLICATION_FOLDER` is left out.
 */
export function environmentOf(checkout: string): Record<string, string> {
  const { APPLICATION_FOLDER: _, ...variables } = process.env
  const PATH = [join(checkout, 'node_modules/.bin'), process.env.PATH].join(delimiter)
  return Object.fromEntries(Object.entries({ ...variables, PATH }).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}

/** Copies files and folders of a checkout, named by their place in it. */
export function copyFiles(paths: readonly string[], folder: string): void {
  for (const path of paths.flatMap(filesOf)) {
    const { mode } = statSync(originOf(path))
    writeInto(folder, path, readForCheckout(path), mode)
  }
}

function filesOf(path: string): string[] {
  const roots = path === 'lib' ? ['lib', APPLICATION] : [path]
  return roots.flatMap(root => {
    const origin = originOf(root)
    if (!lstatSync(origin).isDirectory()) return [root]
    const found = readdirSync(origin, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
    return found
      .map(entry => join(root, relative(origin, join(entry.parentPath, entry.name))))
      .filter(file => !LEFT_BEHIND.test(file) && (root !== 'lib' || !file.startsWith(`${APPLICATION}/`)))
  })
}

function writeInto(folder: string, path: string, content: string | Buffer, mode?: number): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), content, { mode })
}
