import { readdirSync, type Dirent } from 'node:fs'
import { join } from 'node:path'

export interface Tree {
  readonly folder: string
  /** How many levels of folders lie below it; those further down are not looked at. */
  readonly depth: number
  readonly unreadable: (folder: string, reason: string) => void
}

/** Lists a folder and what is in it: files, and folders, which change with their entries. One that is missing has nothing. */
export function* pathsIn({ folder, depth, unreadable }: Tree): Generator<string> {
  yield folder
  for (const entry of entriesOf(folder, unreadable)) {
    const path = join(folder, entry.name)
    if (!entry.isDirectory()) yield path
    else if (depth > 0) yield* pathsIn({ folder: path, depth: depth - 1, unreadable })
  }
}

function entriesOf(folder: string, unreadable: Tree['unreadable']): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENOTDIR') unreadable(folder, message)
    return []
  }
}
