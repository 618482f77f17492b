import { parseArgs } from 'node:util'

export interface StartOptions {
  readonly runSchedules: boolean
  /** Whether TypeScript checks the types of the sources meanwhile. */
  readonly checkTypes: boolean
  /** Whether a debugger may attach. */
  readonly inspect: boolean
}

const USAGE = `usage: npm start [-- --no-schedules] [--no-types] [--inspect]

  --no-schedules   fire no schedule of project.yml by itself
  --no-types       do not check types beside the server
  --inspect        let a debugger attach, on port 9229`

/**
 * Reads what stands behind `npm start --`.
 * @throws Error with the usage for anything else.
 */
export function readOptions(args: readonly string[]): StartOptions {
  try {
    const flag = { type: 'boolean', default: false } as const
    const { values } = parseArgs({ args: [...args], options: { 'no-schedules': flag, 'no-types': flag, inspect: flag } })
    return { runSchedules: !values['no-schedules'], checkTypes: !values['no-types'], inspect: values.inspect }
  } catch (cause) {
    throw new Error(`${(cause as Error).message}\n${USAGE}`, { cause })
  }
}
