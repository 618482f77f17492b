import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { processIdentity } from './process-identity.ts'

/** A process as it is recorded on disk: its identity tells it from a later one with the same id. */
interface RecordedProcess {
  readonly pid: number
  readonly identity: string
}

const PATIENCE_MS = 5_000
const LOOK_AGAIN_MS = 20

/** Records a process that runs, for a later start. */
export function recordProcess(file: string, pid: number): void {
  const record: RecordedProcess = { pid, identity: processIdentity(pid) ?? '' }
  writeFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

/**
 * Ends the recorded process if it still runs, by force when it takes too long, and removes the record. A process that merely has
 * the recorded id is left alone.
 */
export async function endRecorded(file: string): Promise<void> {
  const record = read(file)
  if (record !== undefined && isRunning(record)) {
    process.kill(record.pid, 'SIGTERM')
    if (!(await isGone(record))) process.kill(record.pid, 'SIGKILL')
    if (!(await isGone(record))) throw new Error(`Process ${record.pid}, which an earlier npm start left, does not end: end it yourself`)
  }
  rmSync(file, { force: true })
}

function read(file: string): RecordedProcess | undefined {
  if (!existsSync(file)) return undefined
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RecordedProcess
  } catch {
    // Records appear complete: this one is none of ours.
    return undefined
  }
}

function isRunning({ pid, identity }: RecordedProcess): boolean {
  return Number.isInteger(pid) && pid > 0 && identity !== '' && processIdentity(pid) === identity
}

async function isGone(record: RecordedProcess): Promise<boolean> {
  const until = performance.now() + PATIENCE_MS
  while (isRunning(record)) {
    if (performance.now() > until) return false
    await sleep(LOOK_AGAIN_MS)
  }
  return true
}
