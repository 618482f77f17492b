import { parseArgs } from 'node:util'

export interface StartOptions {
  readonly runSchedules: boolean
}

const USAGE = `usage: npm start [-- --no-schedules]

  --no-schedules   fire no schedule of project.yml by itself`

/**
 * Reads what stands behind `npm start --`.
 * @throws Error with the usage for anything else.
 */
export function readOptions(args: readonly string[]): StartOptions {
  try {
    const { values } = parseArgs({ args: [...args], options: { 'no-schedules': { type: 'boolean', default: false } } })
    return { runSchedules: !values['no-schedules'] }
  } catch (cause) {
    throw new Error(`${(cause as Error).message}\n${USAGE}`, { cause })
  }
}
