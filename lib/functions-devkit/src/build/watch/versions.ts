import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { copyIncluded } from '../../server/stage.ts'
import { MANIFEST, otherLines } from '../bundle/include-files.ts'

/** The files of a version that the build makes, by their place in the function's folder. */
export type Products = ReadonlyMap<string, Uint8Array>

export interface VersionsOptions {
  readonly checkout: string
  /** `package/function`. */
  readonly name: string
  /** Versions lie in its `versions`, and `packages/<package>/<function>` leads to the newest. */
  readonly folder: string
}

export interface Versions {
  /** Takes a version, unless it is the one before; returns whether it is new. A reader sees one version or the other, never parts of both. */
  publish(products: Products): boolean
  /** Files of the application's own that a version holds, as its `.include` names them. */
  includedFiles(): string[]
}

// The newest, and those that a reader may be in the middle of.
const KEPT = 3

/**
 * Keeps the versions of one function. A version is a folder with everything that is deployed of it, written in full before a
 * link is put in the place of the one before.
 */
export function keepVersions({ checkout, name, folder }: VersionsOptions): Versions {
  const functionFolder = join(checkout, 'packages', name)
  const link = join(folder, 'packages', name)
  const written: string[] = []
  let number = 0
  let last = ''

  function ownLines(): string[] {
    const file = join(functionFolder, '.include')
    return existsSync(file) ? otherLines(readFileSync(file, 'utf8')) : []
  }

  return {
    includedFiles: () => ownLines().map(line => join(functionFolder, line)),
    publish(products) {
      number += 1
      const version = join(folder, 'versions', `${name}.${number}`)
      const entries = [MANIFEST, ...ownLines()]
      copyIncluded(entries, { functionFolder, stageFolder: version })
      const digest = digestOf(version, products)
      if (digest === last) {
        rmSync(version, { recursive: true })
        return false
      }
      for (const [place, bytes] of products) {
        mkdirSync(dirname(join(version, place)), { recursive: true })
        writeFileSync(join(version, place), bytes)
      }
      lead(link, version)
      last = digest
      written.push(version)
      for (const old of written.splice(0, written.length - KEPT)) rmSync(old, { recursive: true, force: true })
      return true
    },
  }
}

/** Renaming takes the place of a link in one step. */
function lead(link: string, version: string): void {
  mkdirSync(dirname(link), { recursive: true })
  const draft = `${link}.next`
  rmSync(draft, { force: true })
  symlinkSync(relative(dirname(link), version), draft)
  renameSync(draft, link)
}

function digestOf(version: string, products: Products): string {
  const hash = createHash('sha256')
  const add = (place: string, bytes: Uint8Array) => hash.update(`${place}\0${bytes.length}\0`).update(bytes)
  const copied = globSync('**', { cwd: version, withFileTypes: true }).filter(entry => entry.isFile())
  for (const path of copied.map(entry => join(entry.parentPath, entry.name)).sort()) add(relative(version, path), readFileSync(path))
  for (const [place, bytes] of products) add(place, bytes)
  return hash.digest('hex')
}
