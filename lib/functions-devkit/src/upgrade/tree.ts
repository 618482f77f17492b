import { isUtf8 } from 'node:buffer'
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join, matchesGlob } from 'node:path'

/** A file of a version. */
export interface TreeFile {
  readonly content: Buffer
  /** Undefined where it is unknown, as in a .zip. */
  readonly executable?: boolean | undefined
}

/** The files of a version, by their paths with slashes. */
export type Tree = ReadonlyMap<string, TreeFile>

// Never part of a version, whatever its .gitignore says.
const NEVER = ['.git', 'node_modules', '.env', '.local']

/** Returns the text of a file with LF as its line end, or undefined for a binary file. */
export function textOf(file: TreeFile | undefined): string | undefined {
  if (file === undefined || file.content.includes(0) || !isUtf8(file.content)) return undefined
  return file.content.toString('utf8').replaceAll('\r\n', '\n')
}

/** Returns whether two files hold the same, line ends and modes aside. */
export function isSame(one: TreeFile | undefined, other: TreeFile | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  if (one.content.equals(other.content)) return true
  const text = textOf(one)
  return text !== undefined && text === textOf(other)
}

/** Reads the files of a folder that its .gitignore leaves. */
export function readFolder(folder: string): Tree {
  const list = join(folder, '.gitignore')
  const isIgnored = ignoredBy(existsSync(list) ? readFileSync(list, 'utf8') : '')
  const tree = new Map<string, TreeFile>()
  const walk = (parent: string): void => {
    for (const { name } of readdirSync(join(folder, parent), { withFileTypes: true })) {
      const path = parent === '' ? name : `${parent}/${name}`
      if (isIgnored(path)) continue
      const stats = lstatSync(join(folder, path))
      if (stats.isDirectory()) walk(path)
      else if (stats.isFile()) tree.set(path, readStandingFile(join(folder, path), stats.mode))
      else throw new Error(`${join(folder, path)} is neither a file nor a folder: a version has no links`)
    }
  }
  walk('')
  return tree
}

/** Returns the file at a path, as the file system has it. */
export function readStandingFile(path: string, mode = lstatSync(path).mode): TreeFile {
  // Windows has no such bit.
  return { content: readFileSync(path), executable: process.platform === 'win32' ? undefined : (mode & 0o100) !== 0 }
}

/** Returns the files of a tree that its .gitignore leaves. */
export function withoutIgnored(tree: Tree): Tree {
  const isIgnored = ignoredBy(textOf(tree.get('.gitignore')) ?? '')
  return new Map([...tree].filter(([path]) => !isIgnored(path)))
}

/** Understands names, globs and folders of a .gitignore; a pattern with `!` is passed over. */
function ignoredBy(list: string): (path: string) => boolean {
  const patterns = list
    .split(/\r?\n/)
    .map(line => line.trim())
    .filter(line => line !== '' && !/^[#!]/.test(line))
    .map(line => line.replace(/\/$/, ''))
  const names = [...NEVER, ...patterns.filter(pattern => !pattern.includes('/'))]
  const paths = patterns.filter(pattern => pattern.includes('/')).map(pattern => pattern.replace(/^\//, ''))
  return path => {
    const parts = path.split('/')
    const within = parts.map((_, index) => parts.slice(0, index + 1).join('/'))
    return names.some(name => parts.some(part => matchesGlob(part, name))) || paths.some(glob => within.some(part => matchesGlob(part, glob)))
  }
}
