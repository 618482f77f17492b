import { type OutputLine } from './containers/output.ts'
import { type FullError } from './errors/full-error.ts'
import { openLogOutput, type LogOutput } from './host/log-output.ts'
import { errorLinesIn } from './errors/error-lines.ts'

export interface LocalLogOptions {
  readonly checkout: string
  readonly onTerminal: boolean
  readonly output?: Pick<LogOutput, 'write'>
  /** Takes what stands below a line. */
  readonly print?: (text: string) => void
}

// Where its reader is gone this fails as every other line of the server does, and ends it.
const STANDARD_OUTPUT = { write: (line: string) => void process.stdout.write(line) }

export interface LocalLog extends Pick<LogOutput, 'write'> {
  /** Takes a line that a function printed. What is no line of a log goes where the function printed it, as it is. */
  take(line: Pick<OutputLine, 'stream' | 'line'>): void
}

/** Where what functions print goes: lines of a log as JSON, or on a terminal readable, with an error below its line. */
export function openLocalLog({
  checkout,
  onTerminal,
  output = onTerminal ? openLogOutput({ file: undefined, onTerminal }) : STANDARD_OUTPUT,
  print = text => void process.stdout.write(text),
}: LocalLogOptions): LocalLog {
  const write = onTerminal ? writeReadable : (line: string) => output.write(line)
  const linesOf = errorLinesIn(checkout)

  function writeReadable(line: string): void {
    const { error, ...rest } = fieldsOf(line)
    if (!isError(error)) return output.write(line)
    output.write(`${JSON.stringify(rest)}\n`)
    print(`${linesOf(error).join('\n')}\n`)
  }

  return {
    write,
    take({ stream, line }) {
      if (stream === 'stdout' && 'level' in fieldsOf(line)) write(`${line}\n`)
      else process[stream].write(`${line}\n`)
    },
  }
}

function fieldsOf(line: string): Record<string, unknown> {
  try {
    const fields: unknown = JSON.parse(line)
    return typeof fields === 'object' && fields !== null ? (fields as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function isError(value: unknown): value is FullError {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}
