import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { copyCheckout, type Checkout } from '../support/checkout.ts'
import { REPOSITORY } from '../support/tested-application.ts'

const { scripts } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
const started = Object.keys(scripts).filter(name => scripts[name]?.includes('functions-devkit.mjs'))

/** Runs a script as npm does, with the programs of that checkout first. */
function run(folder: string, name: string, ...words: string[]) {
  const path = (process.env.PATH ?? '').split(delimiter).filter(one => !one.includes('node_modules'))
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', [scripts[name], ...words].join(' ')], {
    cwd: folder,
    encoding: 'utf8',
    env: { HOME: folder, PATH: [join(folder, 'node_modules/.bin'), ...path].join(delimiter) },
  })
  return { status, stdout, stderr }
}

describe('in a clone', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'clone-'))
    for (const path of ['lib/functions-devkit/bin', 'lib/functions-devkit/src', 'package.json'])
      cpSync(join(REPOSITORY, path), join(folder, path), { recursive: true })
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it.each(started)('npm run %s names npm install for missing packages', name => {
    expect(run(folder, name)).toEqual({ status: 2, stdout: '', stderr: 'The packages are not installed: npm install\n' })
  })

  it.each(['deploy', 'doctor', 'migrate', 'build'])('npm run %s names install scripts that did not run', name => {
    mkdirSync(join(folder, 'node_modules/pg'), { recursive: true })
    expect(run(folder, name)).toEqual({
      status: 2,
      stdout: '',
      stderr: 'The install scripts of the packages did not run: npm install --ignore-scripts=false\n',
    })
  })
})

describe('functions-devkit', () => {
  const launch = (...words: string[]) =>
    spawnSync(process.execPath, [join(REPOSITORY, 'lib/functions-devkit/bin/functions-devkit.mjs'), ...words], { encoding: 'utf8', cwd: REPOSITORY })

  it('lists every command that a script starts, on a line each', () => {
    const { status, stdout, stderr } = launch('--help')
    const listed = [...stdout.matchAll(/^ {2}([\w-]+) {3,}\S/gm)].map(([, name = '']) => name)
    expect({ status, stderr, listed: listed.toSorted() }).toEqual({ status: 0, stderr: '', listed: [...started, 'bundle', 'check'].toSorted() })
    for (const name of started) expect(scripts[name]).toBe(`exec node lib/functions-devkit/bin/functions-devkit.mjs ${name}`)
  })

  it('passes arguments on, and the exit status back', () => {
    expect(launch('secrets', '--help')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^usage: npm run secrets/m) as unknown })
    expect(launch('secrets', 'more')).toMatchObject({ status: 2, stderr: expect.stringMatching(/^usage: npm run secrets/m) as unknown })
  })

  it.each([['nothing'], ['toString'], []])('ends with 2 and the usage for an unknown command: %s', (...words) => {
    expect(launch(...words)).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('usage: functions-devkit') as unknown })
  })
})

describe('with a mistake in a file', () => {
  let checkout: Checkout
  beforeAll(() => {
    checkout = copyCheckout(['lib', 'packages', 'build.sh', 'project.yml', 'package.json', 'package-lock.json'])
  })
  afterAll(() => checkout.remove())

  it.each([
    ['does not parse', 'export const wrong = {\n  a: 1,\n  b 2,\n}\n', ':3: Expected'],
    ['imports what is not there', "export {}\nimport { nothing } from './index.ts'\nconsole.log(nothing)\n", ':2: No matching export'],
    ['imports a file that is not there', "import './nothing.ts'\n", ':1: there is no file lib/app/migrations/nothing.ts\n'],
    [
      'leaves an extension out',
      "export {}\nimport './index'\n",
      ':2: there is no file lib/app/migrations/index: write the import with its extension',
    ],
    ['imports an unknown package', "import 'absent'\n", ':1: the package absent is not installed: npm install absent\n'],
    ['imports a scoped package', "import '@absent/one/sub'\n", ':1: the package @absent/one is not installed: npm install @absent/one\n'],
    ['imports a development package', "import 'developing'\n", ':1: the package developing is not installed: npm install --include=dev\n'],
    [
      'requires a package',
      "import { createRequire } from 'node:module'\ncreateRequire(import.meta.url)('@absent/one/sub')\nexport const firstTables = {}\n",
      ':2: the package @absent/one is not',
    ],
    ['imports a package of package.json', "import 'declared'\n", ':1: the package declared is not installed: npm install\n'],
  ])('a program names the place of what %s', (_what, text, place) => {
    const file = 'lib/app/migrations/2026-11-24-first-tables.ts'
    const before = readFileSync(join(checkout.folder, file), 'utf8')
    const manifest = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as Record<string, object>
    checkout.write(
      'package.json',
      JSON.stringify({
        ...manifest,
        dependencies: { ...manifest.dependencies, declared: '1.0.0' },
        devDependencies: { ...manifest.devDependencies, developing: '1.0.0' },
      }),
    )
    checkout.write(file, text)
    try {
      for (const [name, ...words] of [['migrate', 'check'], ['doctor']] as const) {
        const { status, stdout, stderr } = run(checkout.folder, name, ...words)
        expect({ status, stdout, lines: stderr.split('\n').length, stderr }).toEqual({
          status: 2,
          stdout: '',
          lines: 2,
          stderr: expect.stringContaining(`cannot start: ${file}${place}`) as unknown,
        })
      }
    } finally {
      checkout.write(file, before)
    }
  })

  it('reads .env for the programs that need it', () => {
    checkout.write('.env', 'DB_CONNECTION_URL=mysql://host/db\n')
    expect(run(checkout.folder, 'migrate', 'status')).toMatchObject({ status: 1, stderr: expect.stringContaining('DB_CONNECTION_URL') as unknown })
  })
})
