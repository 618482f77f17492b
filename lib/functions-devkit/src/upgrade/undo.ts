import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

// Imports Node's own modules only: a copy of this file beside each backup works when an upgrade was cut off halfway, and
// the framework is a mixture of two versions.

/** What a backup says of its upgrade. */
export interface Manifest {
  readonly from: string
  readonly to: string
  /** Files that the upgrade writes or deletes. Those that it adds are missing in `before`. */
  readonly paths: readonly string[]
}

export const MANIFEST = 'manifest.json'
const UNDONE = 'undone.json'
// Of a copy that is not complete.
const PART = '.upgrade-part'

/** Returns the folder of the newest upgrade that is not undone, or undefined. */
export function lastBackup(backups: string): string | undefined {
  if (!existsSync(backups)) return undefined
  const last = readdirSync(backups)
    .sort()
    .findLast(name => existsSync(join(backups, name, MANIFEST)))
  return last === undefined ? undefined : join(backups, last)
}

/**
 * Brings back every file that an upgrade changed, and deletes those that it added. What they hold now is copied to the folder
 * `undone` of the backup. Can be repeated after it was cut off.
 */
export function undoUpgrade(backup: string, folder: string): Manifest {
  const manifest = JSON.parse(readFileSync(join(backup, MANIFEST), 'utf8')) as Manifest
  for (const path of manifest.paths) {
    const [before, now, undone] = [join(backup, 'before', path), join(folder, path), join(backup, 'undone', path)]
    const wasThere = existsSync(before)
    rmSync(`${now}${PART}`, { force: true })
    if (isFile(now) && !existsSync(undone) && !(wasThere && readFileSync(before).equals(readFileSync(now)))) copy(now, undone)
    if (wasThere) copy(before, now)
    else if (isFile(now)) remove(folder, path)
  }
  renameSync(join(backup, MANIFEST), join(backup, UNDONE))
  return manifest
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

/** Deletes a file, and the folders above it that hold nothing else. */
export function remove(folder: string, path: string): void {
  rmSync(join(folder, path), { force: true })
  for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) {
    const place = join(folder, parent)
    if (!existsSync(place)) continue
    if (readdirSync(place).length > 0) return
    rmSync(place, { recursive: true })
  }
}

/** Copies a file with its mode; the place has the old file or the new one at any time. */
export function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true })
  const beside = `${to}${PART}`
  copyFileSync(from, beside)
  chmodSync(beside, statSync(from).mode)
  renameSync(beside, to)
}

if (import.meta.main) {
  const backup = import.meta.dirname
  const { from, to, paths } = undoUpgrade(backup, resolve(backup, '../../..'))
  console.log(`Undone: ${paths.length} files are as they were before the upgrade from ${from} to ${to}`)
}
