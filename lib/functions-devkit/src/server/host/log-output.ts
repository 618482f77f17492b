import { setTimeout as sleep } from 'node:timers/promises'
import pretty from 'pino-pretty'
import { createAppender } from './appender.ts'
import { openLogFile, type LogFile } from './log-file.ts'
import { headOf, readableLine } from './readable-line.ts'

/** Where the lines of the host and of all functions go: one after the other, whoever writes them. */
export interface LogOutput {
  /** Takes one line of JSON, end included. Never throws, and waits for no disk. */
  write(line: string): void
  /** Opens the log file again, if there is one. */
  reopen(): void
  /** Resolves when what is still in memory is written, or soon, if somebody does not take it. */
  end(): Promise<void>
}

export interface LogOutputOptions {
  readonly file: string | undefined
  /** Whether somebody reads standard output on a terminal. */
  readonly onTerminal: boolean
}

// A reader of standard output that does not read must stop nobody: what comes on top of this is lost.
const LARGEST_BACKLOG_BYTES = 8 * 1024 * 1024
const LONGEST_END_MS = 1_000

// One line for each: when, how grave, who, what, and the rest behind it.
export const READABLE = {
  destination: 1,
  sync: true,
  translateTime: 'SYS:HH:MM:ss.l',
  messageFormat: headOf,
  ignore: 'function,event',
  singleLine: true,
}

/** Opens standard output, readable on a terminal and JSON anywhere else, and beside it the log file. */
export function openLogOutput({ file: path, onTerminal }: LogOutputOptions): LogOutput {
  const terminal = onTerminal ? pretty(READABLE) : undefined
  // Whoever read it may have gone: the requests go on.
  const appender = createAppender({ fd: 1, largestBacklogBytes: LARGEST_BACKLOG_BYTES, onFailed: () => appender.use(undefined) })
  const standard = (line: string) => (terminal === undefined ? appender.add(line) : void terminal.write(readableLine(line)))
  const file: LogFile | undefined = path === undefined ? undefined : openLogFile({ path, onChange: tell })

  // Said on standard output alone: the file cannot hold it.
  function tell(state: 'failing' | 'written', code?: string): void {
    const line = { level: state === 'failing' ? 'error' : 'info', time: new Date().toISOString(), function: 'host', event: `log.file.${state}`, code }
    standard(`${JSON.stringify(line)}\n`)
  }

  return {
    write(line) {
      standard(line)
      file?.write(line)
    },
    reopen: () => file?.reopen(),
    async end() {
      await Promise.race([Promise.all([appender.idle(), file?.end()]), sleep(LONGEST_END_MS)])
    },
  }
}
