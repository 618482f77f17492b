import { closeSync, constants, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { createAppender } from './appender.ts'

/** A file that lines are appended to. Nothing that happens to the disk is thrown or waited for. */
export interface LogFile {
  write(line: string): void
  /** Opens it again by its name: whoever rotates logs has renamed it. */
  reopen(): void
  /** Resolves when what is in memory is written, as far as the disk lets it, and closes the file. */
  end(): Promise<void>
}

export interface LogFileOptions {
  readonly path: string
  /** Told once when lines cannot be written, and once when they can again. */
  readonly onChange: (state: 'failing' | 'written', code?: string) => void
  /** How long to wait before a file that could not be opened or written is tried again, in ms. */
  readonly retryMs?: number
}

// Lines wait in memory while the disk is busy or full. What comes on top is lost; standard output has it.
const LARGEST_BACKLOG_BYTES = 8 * 1024 * 1024
const RETRY_MS = 5_000
// The group may read: whoever collects logs should not have to be root.
const FILE_MODE = 0o640
const FOLDER_MODE = 0o750
// A pipe that nobody reads would otherwise hold the process in the opening of it.
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NONBLOCK ?? 0)

/** Opens a log file, and makes the folder for it. */
export function openLogFile({ path, onChange, retryMs = RETRY_MS }: LogFileOptions): LogFile {
  let failing = false
  // Lines go to a file that has lost its name.
  let misplaced = false
  let retry: NodeJS.Timeout | undefined
  const appender = createAppender({
    fd: undefined,
    largestBacklogBytes: LARGEST_BACKLOG_BYTES,
    onFailed: failed,
    onWritten() {
      if (!failing || misplaced) return
      failing = false
      onChange('written')
    },
    onLeft: closeSync,
  })
  reopen()

  function failed(code: string): void {
    if (!failing) onChange('failing', code)
    failing = true
    retry ??= setTimeout(() => {
      retry = undefined
      reopen()
    }, retryMs).unref()
  }

  // A file that cannot be opened again leaves the one that was open: better there than nowhere.
  function reopen(): void {
    try {
      mkdirSync(dirname(path), { recursive: true, mode: FOLDER_MODE })
      appender.use(openSync(path, FLAGS, FILE_MODE))
      misplaced = false
    } catch (error) {
      misplaced = true
      failed((error as NodeJS.ErrnoException).code ?? 'unknown')
      appender.retry()
    }
  }

  return {
    write: line => appender.add(line),
    reopen,
    async end() {
      await appender.idle()
      clearTimeout(retry)
      appender.use(undefined)
    },
  }
}
