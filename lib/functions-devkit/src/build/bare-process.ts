import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { extname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type Readable } from 'node:stream'
import { type ProbeReport } from './probe-report.ts'

/** How a bundle loads where nothing else is. */
export interface BareLoad {
  /** Undefined when the process ended while it was loading. */
  readonly report: ProbeReport | undefined
  /** All that was printed, on both streams. */
  readonly printed: string
  /** What it ended with by itself; undefined when it had to be ended. */
  readonly exitCode: number | undefined
}

/** Nothing is to be done after loading, so that a process which is still there then waits for something. */
const LONGEST_MS = 10_000
const PROBE = join(import.meta.dirname, `probe${extname(import.meta.filename)}`)

/**
 * Loads a bundle in a process of its own: this Node, an empty environment, the bundle's folder. Put that folder
 * outside the checkout, or the bundle finds the checkout's packages.
 */
export async function loadAlone({ folder, entry, longestMs = LONGEST_MS }: { folder: string; entry: string; longestMs?: number }): Promise<BareLoad> {
  // Apache's runtime cannot load ES modules with require; recent versions of Node could.
  const child = spawn(process.execPath, ['--no-experimental-require-module', PROBE, entry], {
    cwd: folder,
    env: {},
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  if (child.stdout === null || child.stderr === null) throw new Error('The bare process has no output')
  let ended = false
  const end = () => {
    ended = true
    child.kill('SIGKILL')
  }
  const timer = setTimeout(end, longestMs)
  try {
    const told = readReport(child.stdio[3] as Readable, report => {
      // Whether something else keeps it running as well is of no interest any more.
      if (report?.outcome === 'loaded' && report.left.length > 0) end()
    })
    const [report, out, errors] = await Promise.all([told, text(child.stdout), text(child.stderr), once(child, 'close')])
    return { report, printed: out + errors, exitCode: ended ? undefined : (child.exitCode ?? undefined) }
  } finally {
    clearTimeout(timer)
  }
}

async function readReport(stream: Readable, then: (report: ProbeReport | undefined) => void): Promise<ProbeReport | undefined> {
  const told = await text(stream)
  const report = told === '' ? undefined : (JSON.parse(told) as ProbeReport)
  then(report)
  return report
}
