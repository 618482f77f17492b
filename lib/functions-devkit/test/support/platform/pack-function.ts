import { lstat, readFile, readdir } from 'node:fs/promises'
import { basename, join, posix, sep } from 'node:path'
import { zipSync, type Zippable } from 'fflate'

/** What the deployer sends for one function. */
export type FunctionPackage = { kind: 'zip'; zip: Buffer } | { kind: 'file'; name: string; source: string }

const LIB = '../../../lib'

/**
 * Packs a function as the deployer does: the files its `.include` names, one path per line and nothing else.
 * A path inside the function's folder keeps its place in the zip, one from `lib` only its base name.
 * A single file is deployed as it is, without a zip.
 *
 * Throws for a path that is elsewhere, missing, or neither a file nor a folder.
 */
export async function packFunction(root: string, name: string): Promise<FunctionPackage> {
  const folder = join(root, 'packages', name)
  const lines = (await readFile(join(folder, '.include'), 'utf8')).split(/\r?\n/).filter(line => line.trim() !== '')
  if ((await readdir(folder)).includes('.ignore')) throw new Error(`${name}: .include and .ignore together`)

  const files = new Map<string, string>()
  for (const line of lines) {
    for (const [source, target] of await expand(join(folder, line), targetOf(line, name), name)) files.set(target, source)
  }
  const [only] = files
  if (!only) throw new Error(`${name}: .include names no file`)
  if (files.size === 1) return { kind: 'file', name: basename(only[0]), source: await readFile(only[1], 'utf8') }

  const content: Zippable = {}
  for (const [target, source] of files) content[target] = await readFile(source)
  return { kind: 'zip', zip: Buffer.from(zipSync(content)) }
}

/** Packs a function that is more than one file, for `startContainer`. Throws when it would be deployed as a single file. */
export async function packZip(root: string, name: string): Promise<Buffer> {
  const packed = await packFunction(root, name)
  if (packed.kind === 'file') throw new Error(`${name} is deployed as the single file ${packed.name}, not as a zip`)
  return packed.zip
}

/** Where a line's file or folder goes in the zip. */
function targetOf(line: string, name: string): string {
  const path = posix.normalize(line).replace(/\/$/, '')
  if (path === LIB || path.startsWith(`${LIB}/`)) return posix.basename(path)
  if (path.startsWith('..') || posix.isAbsolute(path)) throw new Error(`${name}: .include names a path outside the function and lib: ${line}`)
  return path
}

/** The files behind one line, as pairs of path and place in the zip. */
async function expand(path: string, target: string, name: string): Promise<[source: string, target: string][]> {
  const found = await lstat(path).catch(() => undefined)
  if (!found) throw new Error(`${name}: .include names a file that does not exist: ${path}`)
  if (found.isFile()) return [[path, target.split(sep).join('/')]]
  if (!found.isDirectory()) throw new Error(`${name}: ${path} is neither a file nor a directory`)
  const entries = await Promise.all(
    (await readdir(path)).map(entry => expand(join(path, entry), target === '.' ? entry : `${target}/${entry}`, name)),
  )
  return entries.flat()
}
