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
import { command, type SchedulesCommand } from './options/schedules.ts'
import { disableSchedule, enableSchedule, listSchedules, runSchedule, type SchedulesOptions } from './schedules/schedules.ts'
import { APPLICATION_FOLDER } from '../application-folder.ts'

// `npm run schedules`: the triggers on the platform, through doctl.

// Characters of an error, which may quote the platform.
const LONGEST_LINE = 5_000
const ON_ONE = { run: runSchedule, enable: enableSchedule, disable: disableSchedule }

process.exitCode = await run(APPLICATION_FOLDER, command.readOrExit())

async function run(checkout: string, asked: SchedulesCommand): Promise<0 | 1> {
  const doctl = findDoctl(checkout)
  // A function may print anything before it crashes.
  const hide = hidingSecrets(readDeployEnvironment(checkout, '.env', process.env).variables)
  try {
    await requireConnection(doctl)
    return (await perform(asked, { doctl, checkout, declared: declaredIn(checkout), print: line => console.log(hide(line)) })) ? 0 : 1
  } catch (error) {
    if (!(error instanceof DoctlError || error instanceof ProjectFileError)) throw error
    process.stderr.write(`${asLines(hide(error.message), { maxLength: LONGEST_LINE })}\n`)
    return 1
  }
}

function perform(asked: SchedulesCommand, options: SchedulesOptions): Promise<boolean> {
  return asked.action === 'list' ? listSchedules(options) : ON_ONE[asked.action](asked.name, options)
}

function declaredIn(checkout: string): (ScheduledTrigger & { readonly function: string; readonly timeoutMs: number })[] {
  const file = join(checkout, 'project.yml')
  if (!existsSync(file)) return []
  const text = readFileSync(file, 'utf8')
  return functionsOf(parseProject(text, placeholderEnvironment(text))).flatMap(({ qualifiedName, limits, triggers }) =>
    triggers.map(trigger => ({ ...trigger, function: qualifiedName, timeoutMs: limits.timeout })),
  )
}
