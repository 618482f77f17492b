import { copyFileSync, existsSync, lstatSync, mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { basename, dirname, join, normalize, resolve, sep } from 'node:path'

export interface StageOptions {
  /** `packages/<package>/<function>`. */
  readonly functionFolder: string
  /** Where the copy goes; made when it is missing. */
  readonly stageFolder: string
}

/**
 * Copies what is deployed of a function, as its `.include` names it, and returns the file that the runtime would
 * load. The functions are CommonJS inside a checkout that is an ES module: only the copy, with the package.json
 * that is deployed beside the code, can be loaded as the platform loads it.
 *
 * Works synchronously, so that a reload is one step between two calls and never a half-done one seen by a third.
 * @throws Error naming the entry that cannot be deployed.
 */
export function stageFunction({ functionFolder, stageFolder }: StageOptions): string {
  copyIncluded(includedIn(functionFolder), { functionFolder, stageFolder })
  return entryPoint(stageFolder)
}

/**
 * Copies the files and folders that lines of an `.include` name to where the platform has them.
 * @throws Error naming the entry that cannot be deployed.
 */
export function copyIncluded(entries: readonly string[], { functionFolder, stageFolder }: StageOptions): void {
  mkdirSync(stageFolder, { recursive: true })
  for (const entry of entries) copy(resolve(functionFolder, entry), join(stageFolder, placeOf(functionFolder, entry)), entry)
}

/** Every line that is not blank is a path; there are no comments and no patterns. */
function includedIn(functionFolder: string): string[] {
  const file = join(functionFolder, '.include')
  // Without the file everything in the folder is deployed, sources and all.
  if (!existsSync(file)) return readdirSync(functionFolder).filter(name => name !== '__deployer__.zip')
  return readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .map(line => line.trim())
    .filter(line => line !== '')
}

function placeOf(functionFolder: string, entry: string): string {
  const path = normalize(entry)
  const library = join('..', '..', '..', 'lib') + sep
  // What comes from lib/ keeps its last name only, folders with what is in them.
  if (path.startsWith(library)) return basename(path)
  if (path.startsWith('..') || resolve(functionFolder, path) === path) {
    throw new Error(`.include of ${functionFolder}: ${entry} is neither inside the function nor in ../../../lib`)
  }
  return path
}

function copy(source: string, target: string, entry: string): void {
  const found = lstatSync(source, { throwIfNoEntry: false })
  if (found === undefined) throw new Error(`${entry} does not exist in ${dirname(source)}`)
  if (found.isDirectory()) {
    for (const name of readdirSync(source)) copy(join(source, name), join(target, name), join(entry, name))
    return
  }
  if (!found.isFile()) throw new Error(`${entry} is neither a file nor a directory`)
  mkdirSync(dirname(target), { recursive: true })
  copyFileSync(source, target)
}

function entryPoint(stageFolder: string): string {
  const manifest = join(stageFolder, 'package.json')
  if (!existsSync(manifest)) return join(stageFolder, 'index.js')
  const { main = 'index.js' } = JSON.parse(readFileSync(manifest, 'utf8')) as { main?: string }
  return join(stageFolder, main)
}
