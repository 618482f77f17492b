import { spawnSync } from 'node:child_process'
import { existsSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { UnplayableError } from './seed-options.ts'

export interface OtherVersionOptions {
  /** A folder with a checkout of the other version, or what Git calls it. */
  readonly other: string
  /** Where project.yml of the present version lies. */
  readonly checkout: string
  /** An empty one, for the files of that version. */
  readonly folder: string
}

const BUILT = 'dist/index.js'

/**
 * Builds the functions of another version by that version's own build, with the npm packages of the present one. Returns the bundle
 * of each function.
 * @throws UnplayableError that says what is missing
 */
export function buildOtherVersion({ other, checkout, folder }: OtherVersionOptions): (functionName: string) => string {
  const path = resolve(checkout, other)
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
  const pack = isFolder ? ['tar', '-C', path, '--exclude=node_modules', '--exclude=.git', '-cf', '-', '.'] : ['git', '-C', checkout, 'archive', other]
  const packed = run(pack, `'${other}' is neither a folder nor a version that Git knows here`)
  run(['tar', '-C', folder, '-xf', '-'], `The files of '${other}' could not be written`, { input: packed })
  if (!existsSync(join(folder, 'build.sh'))) throw new UnplayableError(`'${other}' has no build.sh, so its functions cannot be built`)
  symlinkSync(join(checkout, 'node_modules'), join(folder, 'node_modules'))
  // Its application lies where every other has it.
  const { APPLICATION_FOLDER: _, ...env } = process.env
  const PATH = [join(folder, 'node_modules/.bin'), env.PATH].join(delimiter)
  run(['./build.sh'], `The functions of '${other}' could not be built`, { cwd: folder, env: { ...env, PATH } })
  // The checkout is an ES module, and its bundles are not.
  writeFileSync(join(folder, 'packages/package.json'), JSON.stringify({ type: 'commonjs' }))
  return name => {
    const entry = join(folder, 'packages', name, BUILT)
    if (!existsSync(entry)) throw new UnplayableError(`'${other}' has no function ${name}`)
    return entry
  }
}

interface RunOptions {
  readonly input?: Buffer
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
}

const LARGEST_BYTES = 1024 ** 3

function run([program = '', ...args]: readonly string[], whyNot: string, options: RunOptions = {}): Buffer {
  const { status, stdout, stderr, error } = spawnSync(program, args, { maxBuffer: LARGEST_BYTES, ...options })
  if (status !== 0) throw new UnplayableError(`${whyNot}: ${error?.message ?? stderr.toString().trim()}`)
  return stdout
}
