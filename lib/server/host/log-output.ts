import { pino } from 'pino'
import pretty from 'pino-pretty'
import { openLogFile, type LogFile } from './log-file.ts'

/** Where the lines of the host and of all functions go: one after the other, whoever writes them. */
export interface LogOutput {
  /** Takes one line of JSON, end included. Never throws, and waits for no disk. */
  write(line: string): void
  /** Opens the log file again, if there is one. */
  reopen(): void
  /** Writes what is still in memory. */
  end(): void
}

export interface LogOutputOptions {
  readonly file: string | undefined
  /** Whether somebody reads standard output on a terminal. */
  readonly onTerminal: boolean
}

// A reader of standard output that does not read must stop nobody: what comes on top of this is lost.
const LARGEST_BACKLOG_BYTES = 8 * 1024 * 1024

/** Opens standard output, readable on a terminal and JSON anywhere else, and beside it the log file. */
export function openLogOutput({ file: path, onTerminal }: LogOutputOptions): LogOutput {
  const standard = onTerminal ? pretty({ destination: 1, sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' }) : plainOutput()
  const file: LogFile | undefined = path === undefined ? undefined : openLogFile({ path, onChange: tell })

  // Said on standard output alone: the file cannot hold it.
  function tell(state: 'failing' | 'written', code?: string): void {
    const line = { level: state === 'failing' ? 'error' : 'info', time: new Date().toISOString(), function: 'host', event: `log.file.${state}`, code }
    standard.write(`${JSON.stringify(line)}\n`)
  }

  return {
    write(line) {
      standard.write(line)
      file?.write(line)
    },
    reopen: () => file?.reopen(),
    end() {
      file?.end()
      if ('flushSync' in standard) {
        try {
          standard.flushSync()
        } catch {
          // Nobody reads it any more.
        }
      }
    },
  }
}

function plainOutput() {
  const stream = pino.destination({ fd: 1, sync: false, maxLength: LARGEST_BACKLOG_BYTES })
  // Whoever read it has gone: the requests go on.
  stream.on('error', () => undefined)
  return stream
}
