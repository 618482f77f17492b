import { asLines } from '../../../functions-runtime/src/foreign-text.ts'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  functionsOf,
  parseProject,
  placeholderEnvironment,
  ProjectFileError,
  type ScheduledTrigger,
} from '../../../doctl-project-schema/src/index.ts'
import { DoctlError, findDoctl, requireConnection } from './doctl/doctl.ts'
import { readDeployEnvironment } from './doctor/environment.ts'
import { hidingSecrets } from './doctor/secrecy.ts'
import { disableSchedule, enableSchedule, listSchedules, runSchedule, type SchedulesOptions } from './schedules/schedules.ts'
import { APPLICATION_FOLDER } from '../application-folder.ts'

// `npm run schedules`: the triggers on the platform, through doctl.

const USAGE = `usage: npm run schedules -- list | run <name> | enable <name> | disable <name>

  list             every schedule of the namespace, and whether project.yml agrees
  run <name>       invoke its function now, with its body, and print the result; a disabled one runs too
  enable <name>    let it fire, until the next deploy sets what project.yml says
  disable <name>   stop it, until the next deploy sets what project.yml says

Exit status: 0 done, 1 not done, 2 wrong usage.
`

// Characters of an error, which may quote the platform.
const LONGEST_LINE = 5_000
const ON_ONE: Readonly<Record<string, (name: string, options: SchedulesOptions) => Promise<boolean>>> = {
  run: runSchedule,
  enable: enableSchedule,
  disable: disableSchedule,
}

process.exitCode = await run(APPLICATION_FOLDER, process.argv.slice(2))

async function run(checkout: string, [action, name, ...more]: readonly string[]): Promise<0 | 1 | 2> {
  const command = more.length > 0 ? undefined : commandOf(action, name)
  if (command === undefined) {
    ;(action === '--help' ? process.stdout : process.stderr).write(USAGE)
    return action === '--help' ? 0 : 2
  }
  const doctl = findDoctl(checkout)
  // A function may print anything before it crashes.
  const hide = hidingSecrets(readDeployEnvironment(checkout, '.env', process.env).variables)
  try {
    await requireConnection(doctl)
    return (await command({ doctl, checkout, declared: declaredIn(checkout), print: line => console.log(hide(line)) })) ? 0 : 1
  } catch (error) {
    if (!(error instanceof DoctlError || error instanceof ProjectFileError)) throw error
    process.stderr.write(`${asLines(hide(error.message), { maxLength: LONGEST_LINE })}\n`)
    return 1
  }
}

function commandOf(action = '', name?: string): ((options: SchedulesOptions) => Promise<boolean>) | undefined {
  if (name === undefined) return action === 'list' ? listSchedules : undefined
  // doctl would take it for an option.
  if (name.startsWith('-')) return undefined
  const command = Object.hasOwn(ON_ONE, action) ? ON_ONE[action] : undefined
  return command && (options => command(name, options))
}

function declaredIn(checkout: string): (ScheduledTrigger & { readonly function: string; readonly timeoutMs: number })[] {
  const file = join(checkout, 'project.yml')
  if (!existsSync(file)) return []
  const text = readFileSync(file, 'utf8')
  return functionsOf(parseProject(text, placeholderEnvironment(text))).flatMap(({ qualifiedName, limits, triggers }) =>
    triggers.map(trigger => ({ ...trigger, function: qualifiedName, timeoutMs: limits.timeout })),
  )
}
