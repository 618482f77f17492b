import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, readFile, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { inject } from 'vitest'

const run = promisify(execFile)
const ROOT = resolve(import.meta.dirname, '../../..')
const WORKSPACES = ['resilient-sequelize', 'invocation', 'functions-runtime', 'webhook-inbox']
// Packed too, for the test that installs them.
const OTHERS = ['functions-ops', 'doctl-project-schema', 'functions-devkit', 'postgres-faults']
const PACKED = [...WORKSPACES, ...OTHERS]
// Both peers, and what the programs of test/adoption use beside them.
const PACKAGES = ['sequelize', 'pg', '@types/node', '@types/pg', 'cls-hooked', 'express', 'reflect-metadata', 'sequelize-typescript']
const LONGEST_BUILD_MS = 240_000
const LOOK_AGAIN_MS = 100

/** Long enough for the hook that waits for the consumer, with the registry far away and the machine busy. */
export const CONSUMER_TIMEOUT_MS = LONGEST_BUILD_MS + 10_000

/** What the packed workspaces are, and where they are installed. */
export interface Consumer {
  /** A folder outside of the repository, with the tarballs, the ordinary application and the programs. */
  readonly folder: string
  /** The tarball of each workspace, by name. */
  readonly tarballs: ReadonlyMap<string, string>
  /** The workspaces' unpacked tarballs, those that are not installed here among them. */
  readonly packages: readonly string[]
}

/** Packs the workspaces and installs them in a folder outside of the repository: once in a run, for all test files. */
export async function consumer(): Promise<Consumer> {
  const base = inject('adoption')
  const folder = join(base, 'consumer')
  const lock = join(base, 'lock')
  const failed = join(base, 'failed')
  const until = performance.now() + LONGEST_BUILD_MS
  const isFirst = await mkdir(lock).then(
    () => true,
    () => false,
  )
  if (isFirst) {
    try {
      await build(base, folder)
    } catch (error) {
      await writeFile(failed, String(error))
      throw error
    }
  }
  while (!(await exists(folder))) {
    if (await exists(failed)) throw new Error(`The consumer could not be made: ${await readFile(failed, 'utf8')}`)
    if (performance.now() > until) throw new Error('The consumer was not made in time')
    await sleep(LOOK_AGAIN_MS)
  }
  const tarballs = await Promise.all(PACKED.map(async name => [name, await tarballOf(base, name)] as const))
  return { folder, tarballs: new Map(tarballs), packages: PACKED.map(name => join(base, 'unpacked', name)) }
}

async function build(base: string, folder: string): Promise<void> {
  // mkdtemp makes a folder that its owner alone can read.
  await chmod(base, 0o755)
  await pack(base)
  const partial = join(base, 'partial')
  await mkdir(partial)
  await cp(join(ROOT, 'test/adoption/programs'), partial, { recursive: true })
  for (const name of ['ours', 'stock']) await cp(join(ROOT, 'test/adoption/ordinary-app'), join(partial, name), { recursive: true })
  const dependencies: Record<string, string> = {}
  for (const name of WORKSPACES) dependencies[name] = `file:${await tarballOf(base, name)}`
  for (const name of PACKAGES) dependencies[name] = await installedVersion(name)
  await writeFile(join(partial, 'package.json'), JSON.stringify({ name: 'consumer', private: true, dependencies }))
  await npm(partial, 'install', '--no-audit', '--no-fund', '--prefer-offline')
  // Complete or not at all: other test files wait for this name.
  await rename(partial, folder)
}

/** Packs copies of the workspaces, so that runs side by side do not share a dist folder, and unpacks each tarball. */
async function pack(base: string): Promise<void> {
  const copy = join(base, 'repository')
  await mkdir(copy)
  for (const name of ['.config', 'LICENSE', 'tsconfig.json', ...PACKED.map(workspace => `lib/${workspace}`)])
    await cp(join(ROOT, name), join(copy, name), { recursive: true, filter: source => !source.endsWith('/dist') })
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
  for (const name of PACKED) {
    const target = join(base, name)
    await mkdir(target)
    await npm(join(copy, 'lib', name), 'pack', '--pack-destination', target)
    const unpacked = join(base, 'unpacked', name)
    await mkdir(unpacked, { recursive: true })
    await run('tar', ['-xf', await tarballOf(base, name), '--strip-components=1', '-C', unpacked])
  }
  await rm(copy, { recursive: true })
}

async function tarballOf(base: string, name: string): Promise<string> {
  const [file] = await readdir(join(base, name))
  return join(base, name, file ?? 'no tarball')
}

/** Runs npm in a folder. */
export async function npm(cwd: string, ...args: string[]): Promise<void> {
  // npm test sets variables that would point an inner npm at the outer project.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_(config_local_prefix|package|lifecycle)/i.test(name)))
  await run('npm', args, { cwd, env })
}

/** Returns the version of a package that this repository is tested with. */
export async function installedVersion(name: string): Promise<string> {
  const manifest = join(ROOT, 'node_modules', name, 'package.json')
  return (createRequire(import.meta.url)(manifest) as { version: string }).version
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
