import { lstatSync, readdirSync, statSync, type Stats } from 'node:fs'
import { join } from 'node:path'

/** One entry of a folder; `path` is relative to the root of the project, with slashes. */
export interface TreeEntry {
  name: string
  path: string
  kind: 'file' | 'folder' | 'symlink' | 'other'
}

/** Folders that hold what somebody else made, and are not looked into. */
const FOREIGN_FOLDERS = new Set(['node_modules', '.git'])

/** Folders that a build writes; what `.include` names in one of them need not be there before the build. */
export const BUILD_FOLDERS: ReadonlySet<string> = new Set(['dist', 'build', 'out'])

/** What lies in a folder, by name; nothing when there is no such folder. */
export function entriesOf(root: string, path: string): TreeEntry[] {
  if (kindAt(root, path) !== 'folder') return []
  return readdirSync(join(root, path))
    .toSorted()
    .map(name => {
      const entryPath = path ? `${path}/${name}` : name
      return { name, path: entryPath, kind: kindAt(root, entryPath) ?? 'other' }
    })
}

/** Whether a file can be read at a path, through links as well. */
export function isFile(root: string, path: string): boolean {
  return statsOf(() => statSync(join(root, path), { throwIfNoEntry: false }))?.isFile() ?? false
}

/** Whether a folder stands at a path, or behind links at it. */
export function isFolder(root: string, path: string): boolean {
  return statsOf(() => statSync(join(root, path), { throwIfNoEntry: false }))?.isDirectory() ?? false
}

/** What stands at a path, without following a link; nothing when nothing does. */
export function kindAt(root: string, path: string): TreeEntry['kind'] | undefined {
  const stats = statsOf(() => lstatSync(join(root, path), { throwIfNoEntry: false }))
  if (!stats) return undefined
  if (stats.isSymbolicLink()) return 'symlink'
  if (stats.isDirectory()) return 'folder'
  return stats.isFile() ? 'file' : 'other'
}

/** Below a file there is nothing, and behind a link that leads to itself neither. */
function statsOf(read: () => Stats | undefined): Stats | undefined {
  try {
    return read()
  } catch (error) {
    if (['ENOTDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/** Everything below a folder, without what lies in node_modules. */
export function walk(root: string, path: string): TreeEntry[] {
  return entriesOf(root, path).flatMap(entry =>
    entry.kind === 'folder' && !FOREIGN_FOLDERS.has(entry.name) ? [entry, ...walk(root, entry.path)] : [entry],
  )
}
