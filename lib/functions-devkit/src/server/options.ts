import { defineCommand } from '../cli/define-command.ts'

export interface StartOptions {
  readonly runSchedules: boolean
}

export const command = defineCommand({
  usage: `usage: npm start [-- --no-schedules]

  Serves the functions on this machine, with a database of their own, until Ctrl-C.
  --no-schedules   fire no schedule of project.yml by itself

Exit status: 0 ended as asked, 1 could not start, 2 wrong usage.`,
  options: { 'no-schedules': { type: 'boolean', default: false } },
  read: ({ values }): StartOptions => ({ runSchedules: !values['no-schedules'] }),
})
