import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buildParts, type BundleOptions } from '../../src/build/bundle/bundle.ts'
import { type WatchEvent } from '../../src/build/watch/events.ts'
import { prepareBuilds } from '../../src/build/watch/function-build.ts'
import { createRounds, type Rounds } from '../../src/build/watch/rounds.ts'

/** A small application whose functions are built into versions. */
export interface WatchedProject {
  readonly checkout: string
  /** Where the versions are. */
  readonly folder: string
  readonly rounds: Rounds
  readonly events: WatchEvent[]
  write(path: string, text: string): void
  end(): void
}

/** Prepares the builds of functions, by name and source. */
export async function watchProject(functions: Readonly<Record<string, string>>): Promise<WatchedProject> {
  const checkout = realpathSync(mkdtempSync(join(tmpdir(), 'watched-')))
  const folder = join(checkout, '.local/built')
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(checkout, path)), { recursive: true })
    writeFileSync(join(checkout, path), text)
  }
  write('lib/zip/package.json', '{ "main": "dist/index.js", "type": "commonjs" }')
  for (const [name, text] of Object.entries(functions)) write(`packages/${name}/index.ts`, text)
  const entries = Object.keys(functions).map(name => `packages/${name}/index.ts`)
  const options: BundleOptions = { checkout, entries, parts: [], absent: [], standIns: [] }
  const parts = await buildParts(options)
  const builds = prepareBuilds({ options, parts, folder, colour: false })
  const events: WatchEvent[] = []
  const rounds = createRounds({ builds, tell: event => void events.push(event), warn: () => undefined })
  return {
    checkout,
    folder,
    rounds,
    events,
    write,
    end() {
      rmSync(checkout, { recursive: true })
    },
  }
}
