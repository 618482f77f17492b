import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { delimiter, extname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { REBUILD, type WatchEvent } from '../build/watch/events.ts'

export interface BuildOptions {
  readonly checkout: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Ends what is under way. */
  readonly signal?: AbortSignal
}

export interface WatchOptions extends BuildOptions {
  /** For the versions of functions: `packages/<package>/<function>` in it leads to the newest of each. */
  readonly folder: string
  readonly report: (message: string) => void
  readonly print: (line: string) => void
  /** The build of functions begins when this resolves. */
  readonly synced: Promise<void>
  /** Called when functions have a newer version. */
  readonly onRebuilt?: () => void
}

export interface Watcher {
  /** Builds again what has changed, now, and tells also when there is nothing. */
  rebuild(): void
  /** Ends the build process and what it started. */
  end(): Promise<void>
  /** The same without waiting. */
  kill(): void
}

/**
 * Writes what follows from the sources, such as project.yml, in a process of its own: this one must not load the functions' sources.
 * It leaves .env alone, which belongs to the deployment.
 * @throws Error when it fails; the process has printed why.
 */
export async function syncFiles({ checkout, environment, signal }: BuildOptions): Promise<void> {
  const program = join(import.meta.dirname, `../cli/sync${extname(import.meta.filename)}`)
  const child = spawn(process.execPath, [program, '--no-env'], {
    cwd: checkout,
    env: { ...environment, APPLICATION_FOLDER: checkout },
    stdio: ['ignore', 'inherit', 'inherit'],
    ...(signal === undefined ? {} : { signal }),
  })
  const [code, endSignal] = await ending(child)
  if (code !== 0) throw new Error(`npm run sync is not possible (${endSignal ?? `exit code ${code}`}); what is wrong stands above`)
}

/**
 * Builds every function, and from then on whatever changes; resolves when the first version of each is there. The build ends
 * with us, however we end: its standard input closes then.
 * @throws Error when the first build fails; the build has printed why.
 */
export async function watchFunctions(options: WatchOptions, started: (watcher: Watcher) => void): Promise<void> {
  const { folder, report, print, synced, onRebuilt, signal } = options
  const child = startBuild(options, [`--watch=${folder}`])
  let ended = false
  const built = Promise.withResolvers<void>()
  // It may fail while what it waits for goes on.
  built.promise.catch(() => undefined)
  let isBuilt = false
  const kill = () => {
    ended = true
    killGroup(child)
  }
  const gone = ending(child).then(
    ([code, endSignal]) => {
      const how = endSignal ?? `exit code ${code}`
      if (!isBuilt) built.reject(new Error(`The functions cannot be built (${how}); what is wrong stands above`))
      else if (!ended) report(`Changed files are no longer built: the build ended (${how})`)
    },
    (error: Error) => built.reject(new Error(`The functions cannot be built: ${error.message}`)),
  )
  if (child.stdout !== null) createInterface({ input: child.stdout, terminal: false }).on('line', take)
  // A build that has just ended takes no more lines.
  child.stdin?.on('error', () => undefined)
  const rebuild = () => void child.stdin?.write(`${REBUILD}\n`)
  started({
    rebuild,
    kill,
    async end() {
      kill()
      await gone
    },
  })
  signal?.addEventListener('abort', kill)
  try {
    await synced
    rebuild()
    await built.promise
  } finally {
    signal?.removeEventListener('abort', kill)
  }

  // build.sh may print lines of its own.
  function take(line: string): void {
    const event = eventIn(line)
    if (event === undefined) return print(line)
    if (event.event !== 'built') return describe(event)
    isBuilt = true
    built.resolve()
  }

  function describe(event: Exclude<WatchEvent, { event: 'built' }>): void {
    switch (event.event) {
      case 'rebuilt':
        print(`rebuilt ${event.functions.join(', ')} in ${(event.ms / 1000).toFixed(1)} s`)
        return onRebuilt?.()
      case 'failed':
        return report(`${event.text}\n${event.functions.join(', ')}: serving the version before`)
      case 'unchanged':
        return print('nothing has changed')
    }
    event satisfies never
  }
}

function eventIn(line: string): WatchEvent | undefined {
  if (!line.startsWith('{"event":')) return undefined
  return JSON.parse(line) as WatchEvent
}

function startBuild({ checkout, environment }: BuildOptions, parameters: readonly string[]): ChildProcess {
  // The Node and the tools of this checkout, when we were not started by npm, which puts them first.
  const path = [join(checkout, 'node_modules', '.bin'), environment.PATH].filter(Boolean).join(delimiter)
  // A group of its own: Ctrl-C must not end the build before we are told, and killing the group leaves no esbuild behind.
  return spawn(join(checkout, 'build.sh'), parameters, {
    cwd: checkout,
    env: { ...environment, PATH: path },
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
}

async function ending(child: ChildProcess): Promise<[code: number | null, signal: NodeJS.Signals | null]> {
  return (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
}

function killGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return
  try {
    process.kill(-pid, 'SIGTERM')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
