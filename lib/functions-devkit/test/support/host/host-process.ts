import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestDatabase } from '../database.ts'
import { builtApplication } from '../built-application.ts'
import { environmentFor } from '../functions.ts'
import { REPOSITORY } from '../tested-application.ts'

/** One `npm run serve`, as the platform would run it. */
export interface HostProcess {
  readonly child: ChildProcess
  readonly address: string
  readonly port: number
  /** Lines of its log so far. */
  lines(): Record<string, unknown>[]
  /** Everything that it printed. */
  output(): string
  /** Waits for a line of its log. */
  logs(matches: (line: Record<string, unknown>) => boolean, from?: number): Promise<Record<string, unknown>>
  kill(signal: NodeJS.Signals): void
  ends(): Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

export interface HostProcessOptions {
  readonly variables?: Readonly<Record<string, string>>
  /** Where to run it; where the tested application is built. */
  readonly checkout?: string
}

/** What the programs of a test find in their environment, and nothing that the shell has by chance. */
export function hostEnvironment(database: TestDatabase | undefined, variables: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: `${join(REPOSITORY, 'node_modules/.bin')}:${process.env.PATH ?? ''}`,
    ...(database ? environmentFor(database) : {}),
    LOG_LEVEL: 'info',
    PORT: '0',
    SHUTDOWN_GRACE_MS: '0',
    ...variables,
  }
}

/** Starts the program and takes no notice of whether it gets anywhere. */
export async function launchHost(database: TestDatabase | undefined, { variables = {}, checkout }: HostProcessOptions = {}): Promise<HostProcess> {
  const cwd = checkout ?? (await builtApplication())
  const child = spawn(process.execPath, ['lib/functions-devkit/src/server/serve.ts'], {
    cwd,
    env: hostEnvironment(database, variables),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  const lines = () =>
    output
      .split('\n')
      .slice(0, -1)
      .filter(line => line.startsWith('{'))
      .map(line => JSON.parse(line) as Record<string, unknown>)
  const address = () => /"address":"http:\/\/0\.0\.0\.0(:\d+)"/.exec(output)?.[1]?.replace(':', 'http://127.0.0.1:') ?? ''
  return {
    child,
    get address() {
      return address()
    },
    get port() {
      return Number(new URL(address()).port)
    },
    lines,
    output: () => output,
    async logs(matches, from = 0) {
      for (;;) {
        const found = lines().slice(from).find(matches)
        if (found !== undefined) return found
        if (hasEnded()) throw new Error(`ended before it logged that:\n${output}`)
        await sleep(10)
      }
    },
    kill: signal => void child.kill(signal),
    async ends() {
      const [code, signal] = await exit
      return { code, signal }
    },
  }
}

/** Runs a test with a host that has started; what still runs afterwards is ended, and has to be gone. */
export async function withHost(
  database: TestDatabase | undefined,
  work: (host: HostProcess) => Promise<void>,
  options: HostProcessOptions = {},
): Promise<void> {
  const host = await launchHost(database, options)
  try {
    await host.logs(({ event }) => event === 'host.started')
    await work(host)
  } catch (error) {
    console.error(host.output())
    throw error
  } finally {
    if (host.child.exitCode === null && host.child.signalCode === null) host.kill('SIGTERM')
    await host.ends()
  }
}
