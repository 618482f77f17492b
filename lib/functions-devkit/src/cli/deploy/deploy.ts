import { functionsOf, type Project } from '../../../../doctl-project-schema/src/index.ts'
import { TOKEN } from '../doctl/cures.ts'
import { readFunction, readVersions, type DeployedFunction } from '../doctl/deployed.ts'
import { DoctlError, type Doctl } from '../doctl/doctl.ts'
import { readTriggers, type DeployedTrigger } from '../doctl/triggers.ts'
import { NO_PROGRESS, type Progress } from '../progress.ts'
import { applyMigrations, MIGRATE } from './apply-migrations.ts'
import { compareDeployed, type Discrepancy } from './compare.ts'
import { transcriptOf } from './transcript.ts'

export interface DeployOptions {
  readonly doctl: Doctl
  readonly checkout: string
  /** project.yml as the deployer reads it, variables filled in. */
  readonly project: Project
  /** Passed to doctl as it is. */
  readonly environmentFile: string
  /** How many migrations this checkout has; `undefined` leaves them out. */
  readonly migrations: number | undefined
  readonly allowBreaking: boolean
  /** The variables that each function reads, by `package/function`. */
  readonly reads?: ReadonlyMap<string, readonly string[]>
  readonly print: (line: string) => void
  readonly progress?: Progress
  readonly sleep?: (ms: number) => Promise<unknown>
}

// The platform's own limit where project.yml sets none.
const DEFAULT_TIMEOUT_MS = 3_000

/**
 * Deploys through doctl and prints every difference that is read back, by name. Migrations are deployed first, and
 * applied before anything else changes.
 * @returns whether the platform is as project.yml says
 * @throws DoctlError when doctl is missing, or cannot list the functions before the deployment
 */
export async function deploy(options: DeployOptions): Promise<boolean> {
  const { print, migrations, doctl, allowBreaking, project, progress = NO_PROGRESS, sleep } = options
  if (migrations !== undefined) {
    print('Deploying ops/migrate with the new migrations; the old functions serve')
    if (!report(await deployPart(options, MIGRATE), print)) return false
    print('Applying the migrations')
    progress.step(`waiting for ${MIGRATE}`)
    const timeoutMs = functionsOf(project).find(({ qualifiedName }) => qualifiedName === MIGRATE)?.limits.timeout ?? DEFAULT_TIMEOUT_MS
    const tools = { print, ...(sleep === undefined ? {} : { sleep }) }
    if (!(await applyMigrations({ doctl, known: migrations, allowBreaking, timeoutMs, ...tools }))) return false
  }
  print('Deploying all functions')
  return report(await deployPart(options), print)
}

async function deployPart(options: DeployOptions, only?: string): Promise<Discrepancy[]> {
  const { doctl, environmentFile, print, progress = NO_PROGRESS } = options
  progress.step('asking doctl which versions are deployed')
  const before = await readVersions(doctl)
  progress.step('doctl builds and uploads, which takes a minute or two')
  const result = await doctl('serverless', 'deploy', '.', '--env', environmentFile, ...(only === undefined ? [] : ['--include', only]))
  const { lines, failed } = transcriptOf(result)
  for (const line of lines) print(`  doctl: ${line}`)
  progress.step('asking doctl what is deployed now')
  const found = await readBack(options, before, only)
  if (found.length > 0 || !failed) return found
  return [
    {
      kind: 'different',
      name: 'doctl',
      message: `ended with ${result.status}, although the platform is as project.yml says`,
      cure: lines.length > 0 ? 'read what it printed above' : 'run doctl serverless deploy by hand',
    },
  ]
}

/** Compares project.yml with the platform. What cannot be read is one discrepancy, and hides nothing else. */
async function readBack(
  { doctl, checkout, project, reads }: DeployOptions,
  before: ReadonlyMap<string, string>,
  only?: string,
): Promise<Discrepancy[]> {
  const versions = await orUnknown('functions', 'look again with doctl serverless functions list', () => readVersions(doctl))
  const after = 'value' in versions ? versions.value : undefined
  const names = functionsOf(project)
    .map(({ qualifiedName }) => qualifiedName)
    .filter(name => after?.has(name) !== false && (only === undefined || name === only))
  const functions = await Promise.all(
    names.map(name => orUnknown(name, `look again with doctl serverless functions get ${name}`, () => readFunction(doctl, name, checkout))),
  )
  const triggers: Read<DeployedTrigger[]> = only === undefined ? await orUnknown('schedules', TOKEN, () => readTriggers(doctl)) : { value: [] }
  const unknown = [versions, ...functions, triggers].flatMap(one => ('unknown' in one ? [one.unknown] : []))
  const deployed = {
    before,
    after,
    functions: functions.flatMap(one => ('value' in one ? [one.value] : [])) satisfies DeployedFunction[],
    triggers: 'value' in triggers ? triggers.value : undefined,
  }
  return [...compareDeployed(project, deployed, { only, reads, unread: new Set(unknown.map(({ name }) => name)) }), ...unknown]
}

type Read<Value> = { readonly value: Value } | { readonly unknown: Discrepancy }

async function orUnknown<Value>(name: string, cure: string, read: () => Promise<Value>): Promise<Read<Value>> {
  try {
    return { value: await read() }
  } catch (error) {
    if (!(error instanceof DoctlError)) throw error
    return { unknown: { kind: 'unknown', name, message: `could not be read: ${error.message}`, cure } }
  }
}

function report(discrepancies: readonly Discrepancy[], print: (line: string) => void): boolean {
  for (const { kind, name, message, cure } of discrepancies) print(`${kind.padEnd(10)} ${name}  ${message}\n           → ${cure}`)
  return discrepancies.length === 0
}
