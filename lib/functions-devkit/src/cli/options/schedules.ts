import { defineCommand } from '../define-command.ts'

const ON_ONE = ['run', 'enable', 'disable'] as const

export type SchedulesCommand = { readonly action: 'list' } | { readonly action: (typeof ON_ONE)[number]; readonly name: string }

export const command = defineCommand({
  usage: `usage: npm run schedules -- list | run <name> | enable <name> | disable <name>

  list             every schedule of the namespace, and whether project.yml agrees
  run <name>       invoke its function now, with its body, and print the result; a disabled one runs too
  enable <name>    let it fire, until the next deploy sets what project.yml says
  disable <name>   stop it, until the next deploy sets what project.yml says

Exit status: 0 done, 1 not done, 2 wrong usage.`,
  takesWords: true,
  read({ words: [action, name, ...more] }): SchedulesCommand {
    if (more.length > 0) throw new Error('One schedule is enough')
    if (action === 'list' && name === undefined) return { action }
    const known = ON_ONE.find(one => one === action)
    if (known === undefined || name === undefined) throw new Error()
    // doctl would take it for an option.
    if (name.startsWith('-')) throw new Error(`${name} is no name of a schedule`)
    return { action: known, name }
  },
})
