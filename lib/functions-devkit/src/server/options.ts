import { parseArgs } from 'node:util'

export interface StartOptions {
  readonly runSchedules: boolean
  readonly runRedis: boolean
}

const USAGE = `usage: npm start [-- --no-schedules --no-redis]

  --no-schedules   fire no schedule of project.yml by itself
  --no-redis       start no Redis, which holds events while the database is away`

/**
 * Reads what stands behind `npm start --`.
 * @throws Error with the usage for anything else.
 */
export function readOptions(args: readonly string[]): StartOptions {
  try {
    const boolean = { type: 'boolean', default: false } as const
    const { values } = parseArgs({ args: [...args], options: { 'no-schedules': boolean, 'no-redis': boolean } })
    return { runSchedules: !values['no-schedules'], runRedis: !values['no-redis'] }
  } catch (cause) {
    throw new Error(`${(cause as Error).message}\n${USAGE}`, { cause })
  }
}
