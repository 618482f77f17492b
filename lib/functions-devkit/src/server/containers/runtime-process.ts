import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { type Socket } from 'node:net'
import { type Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { followOutput, type Output, type OutputLine } from './output.ts'
import { killGroup } from './process-group.ts'
import { type ContainerRecords } from './records.ts'

export interface RuntimeProcessOptions {
  /** The program, as `writeRuntime` wrote it. */
  readonly program: string
  /** The working directory. */
  readonly folder: string
  readonly home: string
  readonly apiHost: string
  readonly records: ContainerRecords
  readonly onLine: (line: OutputLine) => void
  /** Arguments of Node. */
  readonly execArgv?: readonly string[]
}

/** How a process ended, in words. */
export type Exit = `exit code ${number}` | NodeJS.Signals | 'not started'

/** The process of a container that waits for its function. */
export interface RuntimeProcess {
  readonly pid: number
  readonly port: number
  /** Without it the process answers no request. */
  readonly key: string
  readonly output: Output
  /** Undefined as long as it runs. */
  exit(): Exit | undefined
  /** Resolves when it has ended and all that it printed has been handed on. */
  readonly gone: Promise<Exit>
  readonly signal: (name: NodeJS.Signals) => void
  /** Lets it end by itself, as it does when this process is gone. */
  disconnect(): void
}

// Those of the public runtimes: none of the shell's.
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
// What a process started in a group of its own could hold the pipes for longer.
const LONGEST_DRAIN_MS = 500

/**
 * Starts the process of a container, in a group of its own: Ctrl-C must not reach it before its call has ended.
 * @throws Error when it ends before it listens.
 */
export async function startRuntime({
  program,
  folder,
  home,
  apiHost,
  records,
  onLine,
  execArgv = [],
}: RuntimeProcessOptions): Promise<RuntimeProcess> {
  const child = spawn(process.execPath, [...execArgv, program], {
    cwd: folder,
    env: { HOME: home, PATH, __OW_API_HOST: apiHost },
    detached: true,
    // The last one is CONTROL_FD.
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  const { pid = 0 } = child
  const [, stdout, stderr, control] = child.stdio as [null, Readable, Readable, Socket, undefined]
  const output = followOutput({ stdout, stderr }, onLine)
  let ended: Exit | undefined

  const closed = new Promise(resolve => child.once('close', resolve))
  const exited = new Promise<Exit>(resolve => {
    child.once('exit', (code, signal) => resolve((ended = signal ?? `exit code ${code ?? 0}`)))
    child.once('error', () => resolve((ended ??= 'not started')))
  })
  const gone = exited.then(async exit => {
    if (pid !== 0) {
      // What it started must not outlive it. As long as there is any of that, no other process gets this id.
      killGroup(pid, 'SIGKILL')
      records.remove(pid)
    }
    const drained = new AbortController()
    await Promise.race([closed, sleep(LONGEST_DRAIN_MS, undefined, { signal: drained.signal }).catch(() => undefined)])
    drained.abort()
    for (const stream of [stdout, stderr, control]) stream.destroy()
    output.end()
    return exit
  })
  if (pid !== 0) records.add(pid)

  const key = randomBytes(16).toString('hex')
  const port = await greet(control, key)
  if (port === undefined) throw new Error(`The process of a container ended before it was ready (${await gone})`)
  return {
    pid,
    port,
    key,
    output,
    exit: () => ended,
    gone,
    signal(name) {
      // The id of a process that has ended may be another's.
      if (ended === undefined) killGroup(pid, name)
    },
    disconnect: () => void control.destroy(),
  }
}

/** Hands over the key and returns the port; undefined when the process ends first. */
function greet(control: Socket, key: string): Promise<number | undefined> {
  return new Promise(resolve => {
    control.on('error', () => resolve(undefined))
    control.once('close', () => resolve(undefined))
    control.once('data', (port: Buffer) => resolve(Number(port.toString())))
    control.write(`${key}\n`)
  })
}
