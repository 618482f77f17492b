import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { APPLICATION_FOLDER } from '../application-folder.ts'
import { readEnvironmentFile } from '../../../doctl-project-schema/src/index.ts'
import { report } from '../server/report.ts'
import { describeMistake } from './mistake.ts'
import { command } from './options/sync.ts'
import { planSync, STALE, writeFiles, type Remark, type SyncPlan } from '../sync/sync.ts'

// `npm run sync`: writes what follows from the sources.

process.exitCode = await sync(APPLICATION_FOLDER, command.readOrExit())

async function sync(application: string, options: ReturnType<typeof command.parse>): Promise<0 | 1> {
  const plan = await planSync(application)
  if (refused(plan)) return 1
  if (plan.files.size === 0) return 0
  if (options.check) {
    report([...plan.changes.map(describe), 'Not up to date with the sources. Run: npm run sync'].join('\n'))
    return 1
  }
  apply(application, plan)
  // Behind an index come the functions. They were not loaded yet: modules stay as they were first loaded.
  const next = await planSync(application)
  if (refused(next)) return 1
  apply(application, next)
  if (!options['no-env']) hintAtEnvironment(application)
  return 0
}

function refused({ problems, mistakes }: SyncPlan): boolean {
  // Several functions may share the file with the mistake.
  const lines = new Set([...problems.map(problem => `${describe(problem)}. ${problem.fix}`), ...mistakes.map(describeMistake)])
  if (lines.size > 0) report([...lines].join('\n'))
  return lines.size > 0
}

function apply(application: string, { files, changes }: SyncPlan): void {
  writeFiles(application, files)
  for (const { file, reason } of changes) console.log(`written: ${reason === STALE ? file : `${file}: ${reason}`}`)
}

function describe({ file, reason }: Remark): string {
  return `${file}: ${reason}`
}

// The deployer refuses a variable without a value.
function hintAtEnvironment(application: string): void {
  const [own, example] = ['.env', '.env.example'].map(name => join(application, name))
  if (own === undefined || example === undefined || !existsSync(own) || !existsSync(example)) return
  const has = readEnvironmentFile(readFileSync(own, 'utf8'))
  // As they are written there, in their quotes.
  const lines = [...readFileSync(example, 'utf8').matchAll(/^([A-Z][A-Z0-9_]*)=.*$/gm)].flatMap(([line, name = '']) =>
    Object.hasOwn(has, name) ? [] : [line],
  )
  if (lines.length > 0) console.log(`Add to .env, which doctl reads:\n${lines.map(line => `  ${line}`).join('\n')}`)
}
