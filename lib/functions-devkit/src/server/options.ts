import { defineCommand } from '../cli/define-command.ts'

export interface StartOptions {
  readonly runSchedules: boolean
  readonly runRedis: boolean
  /** Whether TypeScript checks the types of the sources meanwhile. */
  readonly checkTypes: boolean
  /** The function to which a debugger may attach, by its name with or without the package's. */
  readonly inspect: string | undefined
}

const flag = { type: 'boolean', default: false } as const

export const command = defineCommand({
  usage: `usage: npm start [-- --no-schedules] [--no-redis] [--no-types] [--inspect FUNCTION]

  Serves the functions on this machine, with a database of their own, until Ctrl-C.
  --no-schedules   fire no schedule of project.yml by itself
  --no-redis       start no Redis, which holds events while the database is away
  --no-types       do not check types beside the server
  --inspect        let a debugger attach to this function, as api/user, on port 9229

Exit status: 0 ended as asked, 1 could not start, 2 wrong usage.`,
  options: { 'no-schedules': flag, 'no-redis': flag, 'no-types': flag, inspect: { type: 'string' } },
  read: ({ values }): StartOptions => ({
    runSchedules: !values['no-schedules'],
    runRedis: !values['no-redis'],
    checkTypes: !values['no-types'],
    inspect: values.inspect,
  }),
})
