import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TreeFile } from './tree.ts'
import { copy, MANIFEST, remove, undoUpgrade, type Manifest } from './undo.ts'

export const BACKUPS = '.local/upgrade'
const UNDO_PROGRAM = fileURLToPath(new URL(`./undo${extname(import.meta.url)}`, import.meta.url))

export interface ChangesToApply {
  readonly folder: string
  readonly versions: Pick<Manifest, 'from' | 'to'>
  /** What each path holds then, in the order of writing; undefined for none. */
  readonly changes: ReadonlyMap<string, TreeFile | undefined>
  /** The new version of files whose conflict leaves them as they are. */
  readonly offered: ReadonlyMap<string, TreeFile>
  readonly now?: () => number
  /** Called once everything is prepared, with what undoes it. */
  readonly onReady?: (backup: string, undoProgram: string) => void
}

/**
 * Writes changes, and returns the folder with a copy of each file as it was. Everything is written beside first, so that the
 * changes themselves are renames. An error undoes what was done, and is thrown.
 */
export function applyChanges({ folder, versions, changes, offered, now = Date.now, onReady }: ChangesToApply): string {
  const backup = join(folder, BACKUPS, freeName(join(folder, BACKUPS), new Date(now()).toISOString().replaceAll(':', '-').slice(0, 19)))
  const paths = [...changes.keys()]
  for (const path of paths) if (existsSync(join(folder, path))) copy(join(folder, path), join(backup, 'before', path))
  for (const [path, file] of changes) if (file !== undefined) stage(join(backup, 'after', path), file, join(folder, path))
  for (const [path, file] of offered) stage(join(backup, 'offered', path), file, join(folder, path))
  // Node decides by the extension, since no package.json is above it.
  const undoProgram = join(backup, `undo${extname(UNDO_PROGRAM) === '.ts' ? '.mts' : '.mjs'}`)
  copy(UNDO_PROGRAM, undoProgram)
  const manifest: Manifest = { ...versions, paths }
  writeFileSync(join(backup, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`)
  onReady?.(backup, undoProgram)
  try {
    for (const [path, file] of changes) {
      if (file === undefined) remove(folder, path)
      else copy(join(backup, 'after', path), join(folder, path))
    }
  } catch (error) {
    undoUpgrade(backup, folder)
    throw new Error(`Nothing is changed, because a file could not be written: ${(error as Error).message}`, { cause: error })
  }
  return backup
}

function freeName(folder: string, name: string): string {
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? name : `${name}-${String(number).padStart(3, '0')}`
    if (!existsSync(join(folder, candidate))) return candidate
  }
}

function stage(place: string, { content, executable }: TreeFile, target: string): void {
  mkdirSync(dirname(place), { recursive: true })
  writeFileSync(place, content)
  if (process.platform === 'win32') return
  const { mode } = statSync(existsSync(target) ? target : place)
  // Who may read it may run it.
  const asked = executable === undefined ? mode : executable ? mode | ((mode & 0o444) >> 2) : mode & ~0o111
  chmodSync(place, asked)
}
