import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkProject, type CheckOptions, type CheckResult, type Problem, type Stage } from '../../../doctl-project-schema/src/index.ts'
import { loadFunction } from '../cli/functions.ts'
import { builtFunctions } from './built-functions.ts'
import { readLock } from './contents.ts'
import { readMetafile, type Metafile } from './metafile.ts'
import { proveFunction, type Proof } from './proof.ts'
import { planSync } from '../sync/sync.ts'
import { readSizes, recordCompositions, SIZES_FILE } from './sizes.ts'

const OPEN = 'public-without-authentication'

/** A problem of project.yml and the folders, or of files that are written from the sources. */
export interface FoundProblem extends Omit<Problem, 'code'> {
  readonly code: Problem['code'] | 'stale' | 'not-in-step'
}

export interface FoundResult extends Pick<CheckResult, 'warnings'> {
  readonly problems: readonly FoundProblem[]
}

/** A program that does a step failed, and has printed why by itself. */
export class StepFailedError extends Error {
  override readonly name = 'StepFailedError'
}

/**
 * Holds project.yml and the folders to what the deployer makes of them; after the build, also to the built files. Public
 * functions that set `openBecause` cause no warning, and neither do those that cannot be loaded: they fail elsewhere.
 */
export async function check(checkout: string, stage: Stage, options: Pick<CheckOptions, 'env' | 'moreWarnings'> = {}): Promise<FoundResult> {
  const all = { ...options, stage, buildWritesInclude: true }
  const stale = stage === 'before-build' ? await findStale(checkout) : []
  // What else is wrong may follow from that, such as a folder that project.yml does not declare.
  if (stale.length > 0) return { problems: stale, warnings: [] }
  const found = checkProject(checkout, all)
  const open = found.warnings.filter(({ code }) => code === OPEN)
  if (open.length === 0) return found
  const functions = await Promise.all(open.map(({ name }) => loadFunction(checkout, name.slice(OPEN.length + 1))))
  const explained = functions.filter(({ main }) => main === undefined || main.openBecause !== undefined).map(({ name }) => `${OPEN}:${name}`)
  return checkProject(checkout, { ...all, accept: explained })
}

/** Returns what `npm run sync` would write or refuse. A function that cannot be loaded or an invalid project.yml fails elsewhere. */
async function findStale(checkout: string): Promise<FoundProblem[]> {
  const { changes, problems, isInvalid } = await planSync(checkout)
  if (isInvalid === true) return []
  return [
    ...changes.map(({ file, reason }) => ({ file, path: '', code: 'stale' as const, reason, fix: 'Run npm run sync' })),
    ...problems.map(({ file, reason, fix }) => ({ file, path: '', code: 'not-in-step' as const, reason, fix })),
  ]
}

/**
 * Builds every function of project.yml as the deployer does: through its hook, from the hook's folder.
 * @throws StepFailedError when one cannot be built.
 */
export async function buildBundles(checkout: string): Promise<Metafile> {
  const folder = mkdtempSync(join(tmpdir(), 'build-'))
  try {
    const file = join(folder, 'metafile.json')
    await runHook(checkout, [`--metafile=${file}`])
    return readMetafile(file)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export interface ProveOptions {
  readonly checkout: string
  readonly metafile: Metafile
  /** Called before each function, with its place among them, from 1 on. */
  readonly onStart?: (name: string, at: number) => void
}

/** Proves the bundles one after the other: load times would disturb each other. */
export async function proveBundles({ checkout, metafile, onStart = () => undefined }: ProveOptions): Promise<Proof[]> {
  const text = readFileSync(join(checkout, 'project.yml'), 'utf8')
  const functions = builtFunctions(text)
  const lock = readLock(join(checkout, 'package-lock.json'))
  const sizes = readSizes(join(checkout, SIZES_FILE))
  const proofs: Proof[] = []
  for (const { qualifiedName: name, main, environment } of functions) {
    onStart(name, proofs.length + 1)
    proofs.push(await proveFunction({ checkout, name, main, passed: Object.keys(environment), metafile, lock, sizes }))
  }
  return proofs
}

/** Writes down what the bundles are made of, to compare with later. */
export function recordProofs(checkout: string, proofs: readonly Proof[]): void {
  recordCompositions(join(checkout, SIZES_FILE), new Map(proofs.map(({ name, composition }) => [name, composition])))
}

/** Runs the deployer's hook. */
export async function runHook(checkout: string, parameters: readonly string[]): Promise<void> {
  const child = spawn('./build.sh', parameters, { cwd: join(checkout, 'lib'), stdio: ['ignore', 'inherit', 'inherit'] })
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    if (code !== 0) throw new StepFailedError('The build failed; what is wrong stands above')
  } catch (cause) {
    if (cause instanceof StepFailedError) throw cause
    // Its first line names a program that is not there, as it does with line ends of Windows.
    throw new StepFailedError(`lib/build.sh cannot be started (${(cause as Error).message})`, { cause })
  }
}
