import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { isatty } from 'node:tty'
import { buildParts, type BundleOptions } from '../bundle/bundle.ts'
import { installedOnly } from '../bundle/take-out.ts'
import { followChanges } from './changes.ts'
import { REBUILD, type WatchEvent } from './events.ts'
import { prepareBuilds, type FunctionBuilds } from './function-build.ts'
import { createRounds } from './rounds.ts'

// How often a build that failed is tried again by itself: what it misses may appear where nothing is looked at.
const TRY_AGAIN_MS = 2_000

export interface WatchBundlesOptions extends Omit<BundleOptions, 'entries'> {
  /** Read when standard input begins the build. */
  readonly entries: () => BundleOptions['entries']
}

/**
 * Builds every function into versions in a folder, and again whatever changes, until standard input closes. Tells of it on
 * standard output. Ends the process with 1 when the first build fails, after saying why.
 */
export async function watchBundles({ entries, ...given }: WatchBundlesOptions, folder: string): Promise<void> {
  const lines = createInterface({ input: process.stdin, terminal: false })
  const begun = once(lines, 'line')
  // Another run's versions are of no use to this one.
  rmSync(folder, { recursive: true, force: true })
  const colour = isatty(2) && process.stderr.hasColors()
  const warn = (text: string) => void process.stderr.write(`${text}\n`)
  const tell = (event: WatchEvent) => void process.stdout.write(`${JSON.stringify(event)}\n`)
  // What is wrong with a part esbuild has printed by itself.
  const parts = await buildParts(installedOnly({ ...given, entries: [] })).catch(() => process.exit(1))
  await begun
  const options = installedOnly({ ...given, entries: entries() })
  const builds = prepareBuilds({ options, parts, folder, colour })

  const beganAt = Date.now()
  const first = [...(await builds.rebuild(builds.names)).values()]
  const mistakes = new Set(first.flatMap(one => (one.outcome === 'failed' ? [one.text] : [])))
  if (mistakes.size > 0) {
    warn([...mistakes].join('\n\n'))
    process.exit(1)
  }
  for (const text of new Set(first.flatMap(one => ('warnings' in one && one.warnings !== '' ? [one.warnings] : [])))) warn(text)
  tell({ event: 'built' })

  const rounds = createRounds({ builds, tell, warn })
  const changes = followChanges({ paths: () => watchedPaths(builds), onChange: changed => rounds.run(changed), since: beganAt })
  const retry = setInterval(() => void (rounds.anyFailed() && rounds.run(new Set())), TRY_AGAIN_MS)
  lines
    .on('line', line => void (line === REBUILD && rounds.runAll()))
    .once('close', () => {
      changes.end()
      clearInterval(retry)
    })
}

/** The sources of the functions, and the folders in which they lie: a file that appears may be one that was missing. */
function watchedPaths(builds: FunctionBuilds): Set<string> {
  const files = builds.names.flatMap(name => [...builds.inputs(name)]).filter(path => !path.includes('/node_modules/'))
  return new Set([...files, ...files.map(dirname)])
}
