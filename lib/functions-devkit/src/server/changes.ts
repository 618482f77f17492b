import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { followChanges } from '../build/watch/changes.ts'
import { planIndexes, writeFiles } from '../sync/sync.ts'
import { createAnnouncements } from './announcements.ts'
import { LOCAL_FILE } from './local-environment.ts'
import { followMigrations, type MigrationChangesOptions } from './migration-changes.ts'
import { inWords } from './report.ts'
import { type Resource } from './shutdown.ts'
import { pathsIn } from './watched-paths.ts'

export interface ChangesOptions extends Omit<MigrationChangesOptions, 'announce'> {
  /** `package/function` of those that are served. */
  readonly functions: readonly string[]
  /** Takes one line for each change that is not served by itself. */
  readonly print: (line: string) => void
  readonly everyMs?: number
}

// What is read at the start only.
const READ_ONCE = ['project.yml', LOCAL_FILE]
const SOURCES = 'lib/app'
const FUNCTIONS = 'packages'
// A person waits for what this prints, and does not wait for it alone.
const EVERY_MS = 300
// Editors write a file in several steps, and a branch that is checked out changes many.
const SETTLED_AFTER_MS = 300
// Migrations are applied by another program, which nothing tells of.
const DATABASE_EVERY_MS = 2_000

/** Follows what a rebuild does not bring into service, and prints what is to be done about it. Indexes are written at once. */
export function watchChanges({ checkout, functions, print, everyMs = EVERY_MS, ...options }: ChangesOptions): Resource {
  const atStart = new Map(READ_ONCE.map(file => [file, textOf(join(checkout, file))]))
  const announce = createAnnouncements(print)
  const migrations = followMigrations({ checkout, announce, ...options })
  let looking = Promise.resolve()
  let ended = false

  const following = followChanges({ paths, onChange: () => lookNext(look), since: Date.now(), everyMs, settleMs: SETTLED_AFTER_MS })
  const timer = setInterval(() => void lookNext(() => migrations.look()), DATABASE_EVERY_MS)
  timer.unref()

  function paths(): string[] {
    const lines: string[] = []
    const unreadable = (folder: string, reason: string) => void lines.push(`Changes in ${folder} are not seen: ${reason}`)
    const found = [
      ...READ_ONCE.map(file => join(checkout, file)),
      ...pathsIn({ folder: join(checkout, SOURCES), depth: Infinity, unreadable }),
      // What a build writes lies deeper.
      ...pathsIn({ folder: join(checkout, FUNCTIONS), depth: 2, unreadable }),
    ]
    announce('unreadable', lines)
    return found
  }

  // One after the other. A file that vanishes between two looks at it is none to announce.
  function lookNext(one: () => Promise<void>): Promise<void> {
    looking = looking
      .then(() => (ended ? undefined : one()))
      .then(
        () => announce('failed', []),
        (error: unknown) => {
          if ((error as NodeJS.ErrnoException | undefined)?.code !== 'ENOENT') announce('failed', [`Changes cannot be looked at: ${inWords(error)}`])
        },
      )
    return looking
  }

  async function look(): Promise<void> {
    const changed = [...atStart].filter(([file, text]) => textOf(join(checkout, file)) !== text)
    announce(
      'restart',
      changed.map(([file]) => `${file} has changed: restart npm start`),
    )
    const found = globSync(`${FUNCTIONS}/*/*/index.ts`, { cwd: checkout }).map(path => path.split(/[/\\]/).slice(1, 3).join('/'))
    announce(
      'functions',
      found.filter(name => !functions.includes(name)).map(name => `${FUNCTIONS}/${name} is new: restart npm start`),
    )
    writeIndexes()
    await migrations.look()
  }

  function writeIndexes(): void {
    const { files, problems } = planIndexes(checkout)
    announce(
      'indexes',
      problems.map(({ file, reason, fix }) => `${file}: ${reason}. ${fix}`),
    )
    if (problems.length > 0) return
    writeFiles(checkout, files)
    for (const path of files.keys()) print(`written: ${path}`)
  }

  const end = () => {
    ended = true
    clearInterval(timer)
    following.end()
    migrations.end()
  }
  return { end, kill: end }
}

function textOf(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}
