import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** Returns the folder of an application: `from`, or the nearest folder above it with a project.yml; `from` when there is none. */
export function applicationFolderAt(from: string): string {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'project.yml'))) return folder
    if (folder === dirname(folder)) return resolve(from)
  }
}

/** Where `project.yml`, `packages` and `lib/app` lie, seen from the working directory. For tests, `APPLICATION_FOLDER` names another. */
export const APPLICATION_FOLDER = process.env.APPLICATION_FOLDER ? resolve(process.env.APPLICATION_FOLDER) : applicationFolderAt(process.cwd())
