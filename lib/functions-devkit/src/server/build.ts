import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { delimiter, extname, join } from 'node:path'

export interface BuildOptions {
  readonly checkout: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Ends a build that is under way. */
  readonly signal?: AbortSignal
}

export interface Watcher {
  /** Ends the build process and what it started. */
  end(): Promise<void>
  /** The same without waiting. */
  kill(): void
}

/**
 * Builds every function once. What the build prints goes where our own errors go.
 * @throws Error when it fails.
 */
export async function buildFunctions({ checkout, environment, signal }: BuildOptions): Promise<void> {
  const child = startBuild({ checkout, environment }, [])
  const kill = () => killGroup(child)
  signal?.addEventListener('abort', kill)
  try {
    const [code, endSignal] = await ending(child)
    if (code !== 0) throw new Error(`The functions cannot be built (${endSignal ?? `exit code ${code}`}); what is wrong stands above`)
  } finally {
    signal?.removeEventListener('abort', kill)
  }
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

/** Keeps building whatever changes. The build ends with us, however we end: its standard input closes then. */
export function watchFunctions({ checkout, environment, report }: BuildOptions & { readonly report: (message: string) => void }): Watcher {
  const child = startBuild({ checkout, environment }, ['--watch'])
  let ended = false
  const gone = ending(child).then(
    ([code, endSignal]) => {
      if (!ended) report(`Changed files are no longer built: the build ended (${endSignal ?? `exit code ${code}`})`)
    },
    (error: Error) => report(`Changed files are not built: ${error.message}`),
  )
  const kill = () => {
    ended = true
    killGroup(child)
  }
  return {
    kill,
    async end() {
      kill()
      await gone
    },
  }
}

function startBuild({ checkout, environment }: BuildOptions, parameters: readonly string[]): ChildProcess {
  // The Node and the tools of this checkout, when we were not started by npm, which puts them first.
  const path = [join(checkout, 'node_modules', '.bin'), environment.PATH].filter(Boolean).join(delimiter)
  // A group of its own: Ctrl-C must not end the build before we are told, and killing the group leaves no esbuild behind.
  return spawn(join(checkout, 'build.sh'), parameters, {
    cwd: checkout,
    env: { ...environment, PATH: path },
    detached: true,
    stdio: ['pipe', 'inherit', 'inherit'],
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
