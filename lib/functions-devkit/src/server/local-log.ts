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

/** Where the functions' log lines go: JSON, or on a terminal readable, with an error below its line. */
export function openLocalLog({
  checkout,
  onTerminal,
  output = openLogOutput({ file: undefined, onTerminal }),
  print = text => void process.stdout.write(text),
}: LocalLogOptions): Pick<LogOutput, 'write'> {
  if (!onTerminal) return output
  const linesOf = errorLinesIn(checkout)
  return {
    write(line) {
      const { error, ...rest } = fieldsOf(line)
      if (!isError(error)) return output.write(line)
      output.write(`${JSON.stringify(rest)}\n`)
      print(`${linesOf(error).join('\n')}\n`)
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
