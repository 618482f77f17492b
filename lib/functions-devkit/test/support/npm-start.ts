import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, globSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { copyCheckout, environmentOf, type Checkout } from './checkout.ts'

/** What stands last in what a start prints. */
export const READY = 'Enter prints fresh ones.'
const HEALTH = 'packages/api/health'
const SERVED = ['build.sh', 'lib', 'package.json', 'packages', 'project.yml']
const HAS_PROC = existsSync('/proc/self/stat')

export interface LaunchOptions {
  readonly port?: string
  readonly stdin?: 'pipe' | 'ignore'
  /** What stands behind `npm start --`. */
  readonly args?: string
  /** TypeScript would load the machine beside every test. */
  readonly checkTypes?: boolean
  readonly environment?: Readonly<Record<string, string>>
}

export interface Server {
  readonly child: ChildProcess
  output(): string
  /** Waits until the output matches, from an offset on. */
  shows(pattern: RegExp | string, from?: number): Promise<void>
  ends(): Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

export interface NpmStart {
  /** A copy, since the server builds into its checkout and tests change functions. */
  readonly checkout: string
  /** Of the current test. */
  readonly data: string
  write: Checkout['write']
  restore: Checkout['restore']
  /** Replaces the health function. */
  writeHealth(code: string): void
  restoreHealth(): void
  /** Runs what `npm start` runs. */
  launch(options?: LaunchOptions): Server
  launchAndWait(options?: LaunchOptions): Promise<Server>
  /** Every process of a server: its own, the build's and the database's. */
  processes(): number[]
  /** What was told to end may need a moment to be gone; the test's own time limit bounds the wait. */
  nothingRuns(): Promise<void>
}

/**
 * Lets the tests of a file run `npm start`, and stops what they started after each test. With `handsOn`, later tests start on a
 * copy of the database that the first test left. `paths` are those that are copied.
 */
export function useNpmStart({ handsOn = false, paths = SERVED }: { handsOn?: boolean; paths?: readonly string[] } = {}): NpmStart {
  let checkout: Checkout
  let data = ''
  let made = ''
  let isReady = false
  const started: ChildProcess[] = []

  beforeAll(() => {
    checkout = copyCheckout(paths)
  })

  beforeEach(() => {
    data = mkdtempSync(join(tmpdir(), 'start-data-'))
    // PostgreSQL runs as another user when the tests run as root, and has to get in.
    chmodSync(data, 0o755)
    isReady = false
  })

  afterEach(async () => {
    for (const child of started.splice(0)) {
      if (hasEnded(child)) continue
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
    await nothingRuns()
    if (handsOn && isReady && made === '') renameSync(data, (made = `${data}-made`))
    else rmSync(data, { recursive: true })
  })

  afterAll(() => {
    checkout.remove()
    if (made !== '') rmSync(made, { recursive: true })
  })

  function launch({ port = '0', stdin = 'pipe', args = '', checkTypes = false, environment = {} }: LaunchOptions = {}): Server {
    const { scripts } = JSON.parse(readFileSync(join(checkout.folder, 'package.json'), 'utf8')) as { scripts: { start: string } }
    const variables: NodeJS.ProcessEnv = {
      ...environmentOf(checkout.folder),
      PORT: port,
      LOCAL_DATA_FOLDER: data,
      ...environment,
    }
    // With npm in front, two signals in a row count as one that npm repeats.
    delete variables.npm_lifecycle_event
    const child = spawn('/bin/sh', ['-c', `${scripts.start} ${checkTypes ? '' : '--no-types'} ${args}`], {
      cwd: checkout.folder,
      env: variables,
      stdio: [stdin, 'pipe', 'pipe'],
    })
    started.push(child)
    const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (output += text))
    return {
      child,
      output: () => output,
      async shows(pattern, from = 0) {
        while (output.slice(from).search(pattern) === -1) {
          if (hasEnded(child)) throw new Error(`ended before it showed ${pattern}:\n${output}`)
          await sleep(20)
        }
      },
      async ends() {
        const [code, signal] = await exit
        return { code, signal }
      },
    }
  }

  async function launchAndWait(options?: LaunchOptions): Promise<Server> {
    if (made !== '' && readdirSync(data).length === 0) copyFolder(made, data)
    const server = launch(options)
    await server.shows(READY)
    isReady = true
    return server
  }

  const processes = () => processesOf(data)

  async function nothingRuns(): Promise<void> {
    while (processes().length > 0) await sleep(20)
  }

  return {
    get checkout() {
      return checkout.folder
    },
    get data() {
      return data
    },
    write: (path, text) => checkout.write(path, text),
    restore: path => checkout.restore(path),
    writeHealth: code => checkout.write(`${HEALTH}/index.ts`, `${code}\n`),
    restoreHealth: () => checkout.restore(`${HEALTH}/index.ts`),
    launch,
    launchAndWait,
    processes,
    nothingRuns,
  }
}

/** Every process of a server with this data folder: its own, the build's and the database's. */
export function processesOf(data: string): number[] {
  if (!HAS_PROC) return globSync(join(data, 'postgres-*/postmaster.pid')).map(file => Number.parseInt(readFileSync(file, 'utf8'), 10))
  return readdirSync('/proc')
    .map(Number)
    .filter(pid => pid > 0 && pid !== process.pid && belongsTo(data, pid))
}

// With the owners of its files, which PostgreSQL looks at.
function copyFolder(from: string, to: string): void {
  execFileSync('cp', ['-a', `${from}/.`, to])
}

/** Where a server answers. */
export function addressOf(server: Pick<Server, 'output'>): string {
  return /http:\/\/127\.0\.0\.1:\d+/.exec(server.output())?.[0] ?? ''
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

function belongsTo(data: string, pid: number): boolean {
  try {
    if (/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) return false
    return readlinkSync(`/proc/${pid}/cwd`).startsWith(data) || readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`LOCAL_DATA_FOLDER=${data}`)
  } catch {
    return false
  }
}
