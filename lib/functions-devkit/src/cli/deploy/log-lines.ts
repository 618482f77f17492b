import * as z from 'zod/mini'

const loggedError = z.object({
  type: z.optional(z.string()),
  code: z.optional(z.string()),
  message: z.optional(z.string()),
  stack: z.optional(z.array(z.string())),
  get cause() {
    return z.optional(loggedError)
  },
})
const logged = z.object({ level: z.unknown(), function: z.string(), error: z.optional(loggedError), settings: z.optional(z.array(z.string())) })

type LoggedError = z.output<typeof loggedError>

/**
 * Returns the lines of a function's log that explain a failure: errors with their stacks and causes, settings that are
 * not usable, and everything that is not a line of our logger, such as the stack of a crash.
 */
export function logLines(lines: readonly string[]): string[] {
  return lines.flatMap(line => {
    const ours = logged.safeParse(parse(line)).data
    if (ours === undefined) return [line]
    return [...(ours.settings ?? []), ...(ours.error === undefined ? [] : describe(ours.error))]
  })
}

function describe({ type, code, message, stack, cause }: LoggedError): string[] {
  const what = [type ?? 'Error', code === undefined ? '' : `(${code})`, message === undefined ? '' : `: ${message}`]
    .join(' ')
    .replace(' : ', ': ')
    .trim()
  return [
    what,
    ...(stack ?? []).map(frame => `    ${frame}`),
    ...(cause === undefined ? [] : describe(cause).map((line, at) => (at === 0 ? `caused by ${line}` : line))),
  ]
}

function parse(line: string): unknown {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
