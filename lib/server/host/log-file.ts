import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { pino } from 'pino'

/** A file that lines are appended to. Nothing that happens to the disk is thrown or waited for. */
export interface LogFile {
  write(line: string): void
  /** Opens it again by its name: whoever rotates logs has renamed it. */
  reopen(): void
  /** Writes what is still in memory, as far as the disk lets it. */
  end(): void
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

/** Opens a log file, and makes the folder for it. */
export function openLogFile({ path, onChange, retryMs = RETRY_MS }: LogFileOptions): LogFile {
  const stream = pino.destination({ dest: path, append: true, mode: FILE_MODE, sync: false, maxLength: LARGEST_BACKLOG_BYTES })
  let opened = false
  let failing = false
  let retry: NodeJS.Timeout | undefined

  makeFolder()
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (!failing) onChange('failing', error.code)
    failing = true
    retry ??= setTimeout(tryAgain, retryMs).unref()
  })
  stream.on('ready', () => void (opened = true))
  stream.on('write', () => {
    if (failing) onChange('written')
    failing = false
  })

  // The stream would make it with the rights that the process gives to any folder.
  function makeFolder(): void {
    try {
      mkdirSync(dirname(path), { recursive: true, mode: FOLDER_MODE })
    } catch {
      // The open that follows meets the same, and is heard.
    }
  }
  function tryAgain(): void {
    retry = undefined
    makeFolder()
    stream.reopen()
  }

  return {
    write(line) {
      // It takes lines while it is opening, but throws when that has failed.
      if (opened || !failing) stream.write(line)
    },
    reopen() {
      makeFolder()
      stream.reopen()
    },
    end() {
      clearTimeout(retry)
      try {
        stream.flushSync()
      } catch {
        // Nobody is left to tell.
      }
    },
  }
}
