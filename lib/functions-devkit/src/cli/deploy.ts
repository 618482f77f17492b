import { asLines } from '../../../functions-runtime/src/foreign-text.ts'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { application } from '../application.ts'
import { functionsOf, parseProject, type Project } from '../../../doctl-project-schema/src/index.ts'
import { deploy } from './deploy/deploy.ts'
import { DoctlError, findDoctl, requireConnection, type Doctl } from './doctl/doctl.ts'
import { describeFindings, examine, statusOf } from './doctor/doctor.ts'
import { readDeployEnvironment } from './doctor/environment.ts'
import { hidingSecrets } from './doctor/secrecy.ts'
import { loadFunction } from './functions.ts'
import { checkMigrations } from './migrate/check.ts'
import { withScratchDatabase } from './migrate/scratch.ts'
import { command } from './options/deploy.ts'
import { DEFAULT_CONTAINERS } from './options/doctor.ts'
import { createProgress } from './progress.ts'
import { APPLICATION_FOLDER } from '../application-folder.ts'

// `npm run deploy`: runs the doctor, deploys through doctl, and compares the platform with project.yml.

// Characters. doctl passes on what the platform and the functions say.
const LONGEST_LINE = 5_000

const options = command.readOrExit()
const progress = createProgress()

try {
  process.exitCode = await run(APPLICATION_FOLDER)
} finally {
  progress.end()
}

async function run(checkout: string): Promise<0 | 1> {
  const { variables } = readDeployEnvironment(checkout, options.env, process.env)
  const hide = hidingSecrets(variables)
  const print = (line: string) => progress.above(() => console.log(asLines(hide(line), { maxLength: LONGEST_LINE })))
  const doctl = findDoctl(checkout)
  try {
    progress.step('asking doctl for its connection')
    await requireConnection(doctl)
    if (!(await isSound(checkout, doctl, print))) return 1
    const project = parseProject(readFileSync(join(checkout, 'project.yml'), 'utf8'), variables)
    const known = options['no-migrate'] ? undefined : application.migrations.length
    const allowBreaking = options['allow-breaking']
    const reads = await readVariables(checkout, project)
    const fine = await deploy({ doctl, checkout, project, environmentFile: options.env, migrations: known, allowBreaking, reads, print, progress })
    print(fine ? 'Deployed and verified against project.yml' : 'The platform is not as project.yml says: see above')
    return fine ? 0 : 1
  } catch (error) {
    if (!(error instanceof DoctlError)) throw error
    progress.above(() => process.stderr.write(`${asLines(hide(error.message), { maxLength: LONGEST_LINE })}\n`))
    return 1
  }
}

/** Returns the variables that each function reads, by `package/function`. */
async function readVariables(checkout: string, project: Project): Promise<Map<string, readonly string[]>> {
  const names = functionsOf(project).flatMap(({ runtime, qualifiedName }) => (runtime === 'nodejs:24' ? [qualifiedName] : []))
  const loaded = await Promise.all(names.map(name => loadFunction(checkout, name)))
  return new Map(loaded.map(({ name, main }) => [name, main?.variables ?? []]))
}

/** Checks everything that can be known before anything is changed. */
async function isSound(checkout: string, doctl: Doctl, print: (line: string) => void): Promise<boolean> {
  const findings = await examine({ checkout, file: options.env, shell: process.env, containers: DEFAULT_CONTAINERS, build: true, doctl, progress })
  print(describeFindings(findings.filter(({ status }) => status !== 'ok')).trimEnd())
  if (statusOf(findings) === 2) {
    print('Nothing was deployed')
    return false
  }
  if (options['no-migrate']) return true
  progress.step('applying the migrations to a database made for it')
  const checked = await withScratchDatabase(client => checkMigrations(client))
  for (const { kind, migration, message } of checked) print(`${kind}  ${migration}  ${message}`)
  if (checked.every(({ kind }) => kind !== 'problem')) return true
  print('Nothing was deployed')
  return false
}
