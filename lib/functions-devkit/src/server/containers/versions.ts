import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { stageFunction } from '../stage.ts'

/** A copy of what is deployed of a function. */
export interface StagedVersion {
  /** The code, which is the working directory of its containers. */
  readonly folder: string
  readonly entry: string
  readonly digest: string
}

export interface VersionsOptions {
  /** `packages/<package>/<function>`, or a link to the version of it that is to be served. */
  readonly functionFolder: string
  /** For the copies, one folder each. */
  readonly stageFolder: string
}

export interface Versions {
  /**
   * Returns the newest version: the same object as long as what is deployed stays the same.
   * @throws Error when there is nothing that could be deployed.
   */
  newest(): StagedVersion
  remove(version: StagedVersion): void
}

/** Copies a function each time that it has been built with another content. */
export function createVersions({ functionFolder, stageFolder }: VersionsOptions): Versions {
  let seen = ''
  let newest: StagedVersion | undefined
  let copies = 0

  function stage(version: string): StagedVersion {
    copies += 1
    const folder = join(stageFolder, String(copies))
    try {
      const entry = stageFunction({ functionFolder: version, stageFolder: folder })
      return { folder, entry, digest: digestOf(folder) }
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  const remove = ({ folder }: StagedVersion) => rmSync(folder, { recursive: true, force: true })

  return {
    newest() {
      // The link may lead elsewhere at any moment: all files are taken from where it leads now.
      const version = realpathSync(functionFolder)
      const { mtimeNs, size, ino } = statSync(join(version, 'dist', 'index.js'), { bigint: true })
      const mark = [version, mtimeNs, size, ino].join(':')
      if (newest !== undefined && mark === seen) return newest
      const staged = stage(version)
      seen = mark
      // A rebuild of the same content must not cost the containers their connections.
      if (staged.digest === newest?.digest) remove(staged)
      else newest = staged
      return newest ?? staged
    },
    remove,
  }
}

function digestOf(folder: string): string {
  const hash = createHash('sha256')
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(one => one.isFile())
  for (const path of files.map(one => join(one.parentPath, one.name)).sort()) {
    hash
      .update(`${relative(folder, path)}\0`)
      .update(readFileSync(path))
      .update('\0')
  }
  return hash.digest('hex')
}
