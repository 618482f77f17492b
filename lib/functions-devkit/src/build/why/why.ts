import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { bundleOf, type BundleOutput, type Metafile } from '../metafile.ts'
import { packageOf } from '../packages.ts'
import { StepFailedError, runHook } from '../pipeline.ts'

/** What one package is to a function. */
export interface Share {
  readonly name: string
  readonly bytes: number
  /** Evaluating its modules, without those that they load; `undefined` when none was, or when it is one with the bundle. */
  readonly ms: number | undefined
}

/** Where the bytes and the milliseconds of a function are. */
export interface Why {
  /** The bundle and its parts, the largest first; `ms`: reading, compiling and evaluating it with all that it loads. */
  readonly files: readonly Share[]
  readonly packages: readonly Share[]
}

// How esbuild evaluates a module, CommonJS and ES, in a bundle that can be read; the module's path is the property's name.
const EVALUATIONS = [
  ['(0, cb[__getOwnPropNames(cb)[0]])((mod = { exports: {} }).exports, mod)', 'cb'],
  ['(0, fn[__getOwnPropNames(fn)[0]])(fn = 0)', 'fn'],
] as const
const OWN_CODE = 'own code'

/**
 * Explains a function's bundle. The bytes are those that are deployed; the times are taken once, from a bundle that can
 * be read, in a process of its own, so that they are only a hint.
 * @throws StepFailedError when there is no such function, with those that there are, or when it cannot be built.
 */
export async function explain(checkout: string, name: string, metafile: Metafile): Promise<Why> {
  requireFunction(name, functionsIn(metafile))
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'why-')))
  try {
    await runHook(checkout, [`--readable=${folder}`])
    const dist = join(folder, 'packages', name, 'dist')
    for (const file of readdirSync(dist)) writeFileSync(join(dist, file), timed(readFileSync(join(dist, file), 'utf8')))
    const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'timed-load.cjs'), dist], { env: {} })
    return shares(name, metafile, JSON.parse(stdout) as Times)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @throws StepFailedError that lists the functions, for a name that is none of them. */
export function requireFunction(name: string, names: readonly string[]): void {
  if (!names.includes(name)) throw new StepFailedError(`project.yml names no function ${name}; it names ${names.toSorted().join(', ')}`)
}

function functionsIn({ outputs }: Metafile): string[] {
  return Object.keys(outputs).flatMap(path => /^packages\/(.+)\/dist\/index\.js$/.exec(path)?.slice(1) ?? [])
}

interface Times {
  readonly files: Readonly<Record<string, number>>
  readonly modules: Readonly<Record<string, number>>
}

function timed(source: string): string {
  let found = source
  for (const [evaluation, name] of EVALUATIONS) {
    // Minified or not, the helper's parameter may have been given a number, as `fn2`.
    const pattern = new RegExp(escaped(evaluation).replaceAll(new RegExp(`\\b${name}\\b`, 'g'), `(?:${name}\\d*)`))
    const [met] = pattern.exec(found) ?? []
    if (met === undefined) continue
    const own = new RegExp(`${name}\\d*`).exec(met)?.[0] ?? name
    found = found.replace(met, () => `timed(__getOwnPropNames(${own})[0], () => ${met})`)
  }
  return found
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
}

function shares(name: string, metafile: Metafile, { files, modules }: Times): Why {
  const folder = `packages/${name}/`
  const outputs = Object.entries(metafile.outputs).filter(([path]) => path.startsWith(folder))
  const byFile = outputs.map(([path, { bytes }]): Share => {
    const file = path.slice(`${folder}dist/`.length)
    return { name: file, bytes, ms: files[file] }
  })
  const packages = new Map<string, { bytes: number; ms: number | undefined }>()
  const { inputs }: BundleOutput = bundleOf(name, metafile)
  for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
    const key = packageOf(path)?.name ?? OWN_CODE
    const sum = packages.get(key) ?? { bytes: 0, ms: undefined }
    const ms = modules[path]
    packages.set(key, { bytes: sum.bytes + bytesInOutput, ms: ms === undefined ? sum.ms : (sum.ms ?? 0) + ms })
  }
  const largestFirst = (shares: Share[]) => shares.filter(({ bytes }) => bytes > 0).sort((one, other) => other.bytes - one.bytes)
  return { files: largestFirst(byFile), packages: largestFirst([...packages].map(([key, sum]) => ({ name: key, ...sum }))) }
}

/** The same in words. */
export function describeWhy({ files, packages }: Why): string {
  const width = Math.max(...[...files, ...packages].map(share => share.name.length))
  const line = (untimed: string, { name, bytes, ms }: Share) =>
    `${name.padEnd(width)}  ${String(bytes).padStart(8)} bytes  ${ms === undefined ? untimed : `${ms.toFixed(1).padStart(6)} ms`}`
  const ofFiles = files.map(file => line('not read before it is needed', file))
  return ['Files', ...ofFiles, '', 'Packages', ...packages.map(one => line('     –', one)), ''].join('\n')
}
