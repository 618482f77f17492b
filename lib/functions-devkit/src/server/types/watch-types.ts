import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants, setPriority } from 'node:os'
import { dirname, extname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { createTypeReader } from './type-lines.ts'

// Sources of what is served; what they import is checked with them.
const SERVED = ['packages/*/*/*.ts', 'lib/app/**/*.ts']

export interface WatchTypesOptions {
  readonly checkout: string
  /** Keeps what is known of the types from one start to the next. */
  readonly folder: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly print: (text: string) => void
}

/**
 * Checks types in a process of its own, behind everything else, for as long as the server runs; ends with it, however that ends.
 * Returns `undefined` where there is no TypeScript or no tsconfig.json.
 */
export function watchTypes({ checkout, folder, environment, print }: WatchTypesOptions): { end(): void; kill(): void } | undefined {
  const compiler = compilerOf(checkout)
  if (compiler === undefined || !existsSync(join(checkout, 'tsconfig.json'))) return undefined
  const project = writeProject(checkout, folder)
  const flags = ['--project', project, '--noEmit', '--incremental', '--tsBuildInfoFile', join(folder, 'types.tsbuildinfo')]
  const output = ['--watch', '--preserveWatchOutput', '--pretty', 'false']
  const child = spawn(process.execPath, [join(import.meta.dirname, `type-check${extname(import.meta.filename)}`), compiler, ...flags, ...output], {
    cwd: checkout,
    env: environment,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  // Without the process there is nothing to say either: the types are an extra.
  child.on('error', () => undefined)
  if (child.pid !== undefined) yieldToOthers(child.pid)
  createInterface({ input: child.stdout, terminal: false }).on('line', createTypeReader(print))
  const kill = () => void child.kill('SIGKILL')
  return { end: kill, kill }
}

/** Writes a project of what is served alone: the tests of this repository and all that they import take three times the memory. */
function writeProject(checkout: string, folder: string): string {
  const file = join(folder, 'tsconfig.json')
  mkdirSync(folder, { recursive: true })
  const include = SERVED.map(path => join(checkout, path))
  // Looked for beside the project otherwise, and the data folder may lie elsewhere.
  const compilerOptions = { typeRoots: [join(checkout, 'node_modules/@types')] }
  writeFileSync(file, JSON.stringify({ extends: join(checkout, 'tsconfig.json'), compilerOptions, include, exclude: [] }))
  return file
}

function compilerOf(checkout: string): string | undefined {
  try {
    const manifest = createRequire(join(checkout, 'package.json')).resolve('typescript/package.json')
    const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin?: { tsc?: string } }
    return bin?.tsc === undefined ? undefined : join(dirname(manifest), bin.tsc)
  } catch {
    return undefined
  }
}

function yieldToOthers(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW)
  } catch {
    // Gone already, or not allowed here.
  }
}
