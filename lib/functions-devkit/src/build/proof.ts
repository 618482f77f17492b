import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stageFunction } from '../server/stage.ts'
import { loadAlone, type BareLoad } from './bare-process.ts'
import { judgeSize } from './ceiling.ts'
import { compositionOf, type Composition } from './composition.ts'
import { contentProblems, type Lock } from './contents.ts'
import { environmentReads } from './environment-reads.ts'
import { loadingProblems } from './loading.ts'
import { bundleOf, type Bundle, type Metafile } from './metafile.ts'
import { type Sizes } from './sizes.ts'

/** What was found out about a function's bundle. */
export interface Proof {
  /** `package/function`. */
  readonly name: string
  /** Of everything that is deployed, unpacked. */
  readonly bytes: number
  /** Undefined when it could not be loaded. */
  readonly loadMs: number | undefined
  readonly composition: Composition
  /** Empty when the function may be deployed. */
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

export interface ProofOptions {
  readonly checkout: string
  readonly name: string
  /** The export that project.yml wants to be called. */
  readonly main?: string
  /** Names of the variables that project.yml passes to it. */
  readonly passed: readonly string[]
  readonly metafile: Metafile
  readonly lock: Lock
  readonly sizes: Sizes
}

/** Packs a built function as the deployer does and looks at how it loads, what is in it and how large it is. */
export async function proveFunction({ checkout, name, main = 'main', passed, metafile, lock, sizes }: ProofOptions): Promise<Proof> {
  const bundle = bundleOf(name, metafile)
  // Outside the checkout, so that no node_modules is found from there.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'bundle-')))
  try {
    const packed = pack(join(checkout, 'packages', name), folder)
    if (packed.problem !== undefined) return { name, bytes: 0, loadMs: undefined, composition: {}, problems: [packed.problem], warnings: [] }
    const bytes = sizeOf(folder)
    const load = await loadAlone({ folder, entry: packed.entry })
    const composition = compositionOf(bundle, bytes)
    const size = judgeSize(name, { bytes, composition, sizes })
    return {
      name,
      bytes,
      loadMs: load.report?.outcome === 'loaded' ? load.report.ms : undefined,
      composition,
      problems: [
        ...nameProblems(main),
        ...missingParts(bundle, folder),
        ...loadingProblems(load),
        ...contractProblems(name, load),
        ...contentProblems(bundle, { metafile, lock }),
        ...variableProblems(load, await environmentReads(bundle, checkout), passed),
        ...size.problems,
      ],
      warnings: size.warnings,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function nameProblems(main: string): string[] {
  if (main === 'main') return []
  return [`is to be started by its export ${main}, as project.yml says, and exports main alone: take \`main: ${main}\` out of its block there`]
}

function contractProblems(name: string, { report }: BareLoad): string[] {
  if (report?.outcome !== 'loaded' || report.contractMistake === undefined) return []
  return [`packages/${name}/index.ts: its contract cannot be written: ${report.contractMistake}`]
}

// A function without one of its variables answers 503, or does without a setting that .env has.
function variableProblems({ report }: BareLoad, alsoRead: readonly string[], passed: readonly string[]): string[] {
  const read = new Set([...(report?.outcome === 'loaded' ? report.variables : []), ...alsoRead])
  const missing = [...read].filter(variable => !passed.includes(variable))
  return missing.length === 0 ? [] : [`reads ${missing.join(', ')}, which project.yml does not pass to it: add to its environment there`]
}

function pack(functionFolder: string, stageFolder: string): { entry: string; problem?: never } | { entry?: never; problem: string } {
  try {
    return { entry: stageFunction({ functionFolder, stageFolder }) }
  } catch (error) {
    return { problem: `cannot be packed (${(error as Error).message}): correct its .include` }
  }
}

// A part is read when it is first asked for: nothing else would notice before a request does.
function missingParts({ files }: Bundle, folder: string): string[] {
  const missing = files.filter(file => !existsSync(join(folder, file)))
  return missing.map(file => `may ask for ${file}, which is not deployed: add it to its .include`)
}

function sizeOf(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
}
