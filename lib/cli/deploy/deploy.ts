import type { Project } from '../../doctl-project-schema/src/index.ts'
import { compareDeployed, type Discrepancy } from './compare.ts'
import { readFunction, readTriggers, readVersions } from './deployed.ts'
import { lastLine, type Doctl, type DoctlResult } from './doctl.ts'

export interface DeployOptions {
  readonly doctl: Doctl
  /** project.yml as the deployer reads it, variables filled in. */
  readonly project: Project
  /** As doctl is told. */
  readonly environmentFile: string
  /** How many migrations there are in this checkout; `undefined` leaves them out. */
  readonly migrations: number | undefined
  readonly allowBreaking: boolean
  readonly print: (line: string) => void
}

const MIGRATE = 'ops/migrate'
// A call that takes longer than 30 s is answered before it has ended; the next one waits for it.
const MOST_CALLS = 5

/**
 * Deploys through doctl, the migrations first and applied before anything else changes, and believes only what can be read
 * back: prints every difference by name.
 * @returns whether all is as project.yml says
 * @throws DoctlError when doctl is missing or cannot say what is there
 */
export async function deploy(options: DeployOptions): Promise<boolean> {
  const { print, migrations } = options
  if (migrations !== undefined) {
    print('Deploying ops/migrate, which knows the new migrations; everything else serves as before')
    if (!report(await deployPart(options, MIGRATE), print)) return false
    print('Applying the migrations')
    if (!(await applyMigrations(options, migrations))) return false
  }
  print('Deploying all functions')
  return report(await deployPart(options), print)
}

async function deployPart({ doctl, project, environmentFile, print }: DeployOptions, only?: string): Promise<Discrepancy[]> {
  const before = await readVersions(doctl)
  const result = await doctl('serverless', 'deploy', '.', '--env', environmentFile, ...(only === undefined ? [] : ['--include', only]))
  const complaints = complaintsIn(result)
  for (const line of complaints) print(`  doctl: ${line}`)
  const errors = complaints.filter(line => line.startsWith('Error'))
  const after = await readVersions(doctl)
  const names = project.packages.flatMap(one => (one.functions ?? []).map(({ name }) => `${one.name}/${name}`))
  const functions = await Promise.all(
    names.filter(name => after.has(name) && (only === undefined || name === only)).map(name => readFunction(doctl, name)),
  )
  const triggers = only === undefined ? await readTriggers(doctl) : []
  const found = compareDeployed(project, { before, after, functions, triggers }, { only })
  if (found.length > 0 || (result.status === 0 && errors.length === 0)) return found
  // Everything is there, and doctl complains all the same: a person has to see why.
  return [
    {
      kind: 'different',
      name: 'doctl',
      message: `ended with ${result.status}, although all is as it should be`,
      cure: errors.length > 0 ? 'read what it says above' : 'run it by hand',
    },
  ]
}

async function applyMigrations({ doctl, allowBreaking, print }: DeployOptions, known: number): Promise<boolean> {
  for (let call = 1; call <= MOST_CALLS; call += 1) {
    const { status, stdout, stderr } = await doctl(
      'serverless',
      'functions',
      'invoke',
      MIGRATE,
      ...(allowBreaking ? ['--param', 'allowBreaking:true'] : []),
    )
    const answer = status === 0 ? readAnswer(stdout) : undefined
    if (answer !== undefined) {
      for (const name of answer.applied) print(`  applied ${name}`)
      const total = answer.applied.length + answer.alreadyApplied
      if (total === known) return true
      print(
        `different  ${MIGRATE}  knows ${total} migrations, and this checkout has ${known}: an older bundle serves\n           → npm run deploy again`,
      )
      return false
    }
    if (status === 0 && /not completed yet/.test(stdout)) {
      print('  still running; asking again')
      continue
    }
    print(`failed     ${MIGRATE}  ${lastLine(stderr || stdout)}\n           → ${cureOf(stderr)}`)
    return false
  }
  print(`failed     ${MIGRATE}  has not ended\n           → it goes on by itself: npm run migrate -- status, then npm run deploy again`)
  return false
}

function cureOf(words: string): string {
  if (words.includes('migration-breaking')) return 'npm run deploy -- --allow-breaking, when it may break the functions that are deployed'
  return 'nothing else was deployed: the old functions serve. npm run doctor tells what is pending, and whether it needs --allow-breaking'
}

function readAnswer(text: string): { applied: readonly string[]; alreadyApplied: number } | undefined {
  try {
    const { applied, alreadyApplied } = JSON.parse(text) as Record<string, unknown>
    return Array.isArray(applied) && typeof alreadyApplied === 'number' ? { applied: applied.map(String), alreadyApplied } : undefined
  } catch {
    return undefined
  }
}

function report(discrepancies: readonly Discrepancy[], print: (line: string) => void): boolean {
  for (const { kind, name, message, cure } of discrepancies) print(`${kind.padEnd(10)} ${name}  ${message}\n           → ${cure}`)
  return discrepancies.length === 0
}

// The deployer's status tells nothing, its lines do.
function complaintsIn({ stdout, stderr }: DoctlResult): string[] {
  return `${stdout}\n${stderr}`
    .split('\n')
    .map(line => line.replace(/^[\s›]+/, '').trim())
    .filter(line => /^(Error|Warning)\b|^Skipped \d+ triggers|- Skipped/i.test(line))
}
