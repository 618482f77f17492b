import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'

export interface MemoryWatch {
  /** Looks once more. */
  check(): void
  stop(): void
}

const LOOK_EVERY_MS = 100
// Each look is a process there.
const ASK_PS_EVERY_MS = 1_000
const KB_IN_MB = 1024

/** Calls back once when the resident memory of a process exceeds a limit, and stops looking then. */
export function watchMemory(pid: number, limitMb: number, onExceeded: () => void): MemoryWatch {
  const hasProc = existsSync('/proc/self/status')
  let stopped = false
  const judge = (usedMb: number | undefined) => {
    if (stopped || usedMb === undefined || usedMb <= limitMb) return
    stop()
    onExceeded()
  }
  const look = () => (hasProc ? judge(peakMb(pid)) : void askPs(pid).then(judge))
  const timer = setInterval(look, hasProc ? LOOK_EVERY_MS : ASK_PS_EVERY_MS).unref()

  function stop(): void {
    stopped = true
    clearInterval(timer)
  }

  return {
    // The peak stays to be seen; what ps tells of this moment is not worth a process for each call.
    check: () => (hasProc ? look() : undefined),
    stop,
  }
}

/** The most that was resident at a time: a limit that was exceeded between two looks shows as well. */
function peakMb(pid: number): number | undefined {
  try {
    const [, kilobytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return kilobytes === undefined ? undefined : Number(kilobytes) / KB_IN_MB
  } catch {
    return undefined
  }
}

async function askPs(pid: number): Promise<number | undefined> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)])
    return Number(stdout) / KB_IN_MB
  } catch {
    return undefined
  }
}
