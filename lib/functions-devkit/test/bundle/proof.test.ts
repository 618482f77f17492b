import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { buildBundles, proveBundles, recordProofs } from '../../src/build/pipeline.ts'
import { type Metafile } from '../../src/build/metafile.ts'
import { proveFunction, type Proof } from '../../src/build/proof.ts'
import { readSizes, SIZES_FILE } from '../../src/build/sizes.ts'
import { main as migrate } from '../application/packages/ops/migrate/index.ts'
import { BUILDER, copyCheckout, environmentOf, type Checkout } from '../support/checkout.ts'

const MAIN = 'export const main = async () => ({})\n'
/** One function for each way to get it wrong; built together, proven together. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  good: MAIN,
  'two-exports': `${MAIN}export const helper = 1\n`,
  'no-main': 'export const handler = async () => ({})\n',
  'hidden-main': "Object.assign(module.exports, Object.fromEntries([['main', async () => ({})]]))\n",
  'other-name': MAIN,
  'main-is-data': 'export const main = { path: "/" }\n',
  prints: `${MAIN}console.log('hello from the top level')\n`,
  warns: `${MAIN}process.emitWarning('this is old')\n`,
  'needs-variable': `if (!process.env.PATH) throw new Error('PATH is not set')\n${MAIN}`,
  'needs-package': `import Native from 'pg-native'\nexport const main = async () => ({ native: typeof Native })\n`,
  'needs-neighbour': `const pino = require(['pi', 'no'].join(''))\nexport const main = async () => ({ pino: typeof pino })\n`,
  'keeps-timer': `setInterval(() => {}, 60_000)\n${MAIN}`,
  'keeps-unreferenced-timer': `setInterval(() => {}, 60_000).unref()\n${MAIN}`,
  'keeps-socket': `import { createServer } from 'node:net'\ncreateServer().listen(0, '127.0.0.1')\n${MAIN}`,
  'keeps-listener': `process.on('exit', () => {})\n${MAIN}`,
  'clears-timer': `clearTimeout(setTimeout(() => {}, 60_000))\n${MAIN}`,
  exits: `process.exit(3)\n${MAIN}`,
  rejects: `void Promise.reject(new Error('nobody catches this'))\n${MAIN}`,
  'misses-part': `export const main = async () => ({ pg: typeof (await import('pg')).Client })\n`,
  development: `import { sign } from '@octokit/webhooks-methods'\nexport const main = async () => ({ signed: await sign('secret', 'text') })\n`,
  'of-the-host': `import { Cron } from 'croner'\nexport const main = async () => ({ next: new Cron('* * * * *').nextRun() })\n`,
  'brings-development': `import { generate } from 'selfsigned'\nexport const main = async () => generate()\n`,
  'server-code': `import { port } from '../../../lib/functions-devkit/src/server/port.ts'\nexport const main = async () => ({ port: port() })\n`,
  'wants-variables': `${MAIN}main.variables = ['GIVEN', 'FORGOTTEN', 'SHARED']\n`,
  'reads-past-settings': `export const main = async () => ({ text: process.env.FORGOTTEN ?? process.env.GIVEN ?? process.env.SHARED })\n`,
  'reads-through-lib': `import { text } from '../../../lib/texts/text.ts'\nexport const main = async () => ({ text: text() })\n`,
  large: `export const main = async () => ({ body: '${'y'.repeat(3_000)}' })\n`,
  'too-large': `export const main = async () => ({ body: '${'x'.repeat(3_000)}' })\n`,
}

function projectOf(names: readonly string[]): string {
  const functions = names.map(
    name =>
      `      - { name: ${name}, runtime: "nodejs:24", web: false, environment: { GIVEN: a }${name === 'other-name' ? ', main: handler' : ''} }\n`,
  )
  return `packages:\n  - name: app\n    environment: { SHARED: a }\n    functions:\n${functions.join('')}`
}

describe('a bundle', () => {
  let checkout: Checkout
  let proofs: Map<string, Proof>
  let metafile: Metafile

  beforeAll(async () => {
    checkout = copyCheckout([...BUILDER, 'lib/zip', 'package-lock.json'])
    for (const [name, source] of Object.entries(FUNCTIONS)) checkout.write(`packages/app/${name}/index.ts`, source)
    checkout.write('lib/functions-devkit/src/server/port.ts', 'export const port = () => 3000\n')
    checkout.write('lib/texts/environment.ts', "import { env as here } from 'node:process'\nexport const { DEEP, GIVEN } = here\nexport { here }\n")
    checkout.write(
      'lib/texts/text.ts',
      "import { DEEP } from './environment.ts'\nconst { env: mine } = process\nexport const text = () => DEEP + mine['FORGOTTEN']\n",
    )
    checkout.write('project.yml', projectOf(Object.keys(FUNCTIONS)))
    checkout.write(SIZES_FILE, JSON.stringify({ warnAbove: 1_000, functions: { 'app/too-large': { ceiling: 2_000 } } }))
    const { folder } = checkout
    metafile = await buildBundles(folder)
    checkout.write('packages/app/misses-part/.include', 'dist/index.js\n../../../lib/zip/package.json\n')
    proofs = new Map((await proveBundles({ checkout: folder, metafile })).map(proof => [proof.name, proof]))
  })
  afterAll(() => checkout.remove())

  const problemsOf = (name: string) => proofs.get(`app/${name}`)?.problems

  it.each(['good', 'clears-timer'])('passes when nothing is wrong: %s', name => {
    expect(problemsOf(name)).toEqual([])
  })

  it.each([
    ['two-exports', /^exports helper beside main: /],
    ['no-main', /^exports no main: /],
    ['other-name', /^is to be started by its export handler, as project\.yml says, and exports main alone: take `main: handler` out/],
    ['main-is-data', /^exports a main that is no function: /],
    ['hidden-main', /^exports a main that import\(\) does not find: /],
    ['prints', /^prints while it is loaded \(hello from the top level\): /],
    ['warns', /^prints while it is loaded \(.*this is old\): /],
    ['needs-variable', /^cannot be loaded with nothing beside it and an empty environment \(Error: PATH is not set\): /],
    ['needs-package', /^cannot be loaded with nothing beside it and an empty environment \(Error: Cannot find module 'pg-native'\): /],
    ['needs-neighbour', /^cannot be loaded with nothing beside it and an empty environment \(Error: Cannot find module 'pino'\): /],
    ['keeps-timer', /^leaves Timeout behind after loading: /],
    ['keeps-unreferenced-timer', /^leaves Timeout behind after loading: /],
    ['keeps-socket', /^leaves TCPSERVERWRAP behind after loading: /],
    ['keeps-listener', /^leaves process\.on\('exit'\) behind after loading: /],
    ['exits', /^ends the process while it is loaded \(exit status 3\): /],
    ['rejects', /^ends the process while it is loaded \(exit status 1\) \(Error: nobody catches this\): /],
    ['misses-part', /^may ask for dist\/pg\.js, which is not deployed: add it to its \.include$/],
    ['development', /^contains @octokit\/webhooks-methods, a development dependency \(packages\/app\/development\/index\.ts imports it\): /],
    ['of-the-host', /^contains croner, which only the long-lived host uses \(packages\/app\/of-the-host\/index\.ts imports it\): /],
    ['brings-development', /^contains selfsigned, which only tools use \(packages\/app\/brings-development\/index\.ts imports it\): /],
    [
      'server-code',
      /^contains code of lib\/functions-devkit\/src\/server\/, which is not for functions \(packages\/app\/server-code\/index\.ts imports it\): /,
    ],
    ['reads-past-settings', /^reads FORGOTTEN, which project\.yml does not pass to it: add to its environment there$/],
    ['reads-through-lib', /^reads DEEP, FORGOTTEN, which project\.yml does not pass to it/],
    ['wants-variables', /^reads FORGOTTEN, which project\.yml does not pass to it: add to its environment there$/],
    ['too-large', /^has \d+ bytes, \d+ over its ceiling of 2000\. It is made of own code \d+ \(new\)/],
  ])('is refused, with its reason: %s', (name, reason) => {
    expect(problemsOf(name)).toContainEqual(expect.stringMatching(reason))
  })

  it('warns of a size without a ceiling of its own', () => {
    expect(problemsOf('large')).toEqual([])
    expect(proofs.get('app/large')?.warnings).toEqual([expect.stringMatching(/^has 3\d+ bytes, 2\d+ over the 1000 .*set a ceiling for it/)])
  })

  it('is refused for one reason when one thing is wrong', () => {
    const others = [...proofs.values()].filter(({ name }) => name !== 'app/no-main')
    expect(others.filter(({ problems }) => problems.length > 1)).toEqual([])
  })

  it('is refused when a file of its .include is missing', async () => {
    checkout.write('packages/app/good/.include', 'dist/index.js\nabsent.json\n')
    const { problems } = await proveFunction({
      checkout: checkout.folder,
      name: 'app/good',
      metafile,
      lock: { packages: {} },
      passed: [],
      sizes: { warnAbove: 10_000, functions: {} },
    })
    expect(problems).toEqual([expect.stringMatching(/^cannot be packed \(absent\.json does not exist in .*\): /)])
  })
})

describe('the functions of project.yml', () => {
  let checkout: Checkout
  beforeAll(() => {
    checkout = copyCheckout(['build.sh', 'lib', 'package.json', 'package-lock.json', 'packages', 'project.yml'])
  })
  afterAll(() => checkout.remove())

  it('pass, and one over its ceiling names what has grown', async () => {
    const { folder } = checkout
    const metafile = await buildBundles(folder)
    const proofs = await proveBundles({ checkout: folder, metafile })
    expect(proofs.flatMap(({ name, problems, warnings }) => [...problems, ...warnings].map(one => `${name} ${one}`))).toEqual([])

    // As if pg had been smaller and lodash absent when the sizes were recorded.
    recordProofs(folder, proofs)
    const file = join(folder, SIZES_FILE)
    const sizes = readSizes(file)
    const { bytes, composition } = proofs.find(({ name }) => name === 'api/health') as Proof
    const { lodash: _, pg = 0, ...others } = composition
    const before = { ceiling: bytes - 10, packages: { ...others, pg: pg - 100 } }
    writeFileSync(file, JSON.stringify({ ...sizes, functions: { ...sizes.functions, 'api/health': before } }))
    const health = (await proveBundles({ checkout: folder, metafile })).find(({ name }) => name === 'api/health')
    expect(health?.problems).toEqual([
      expect.stringContaining(
        `has ${bytes} bytes, 10 over its ceiling of ${bytes - 10}. Grown since it was recorded: lodash ${composition.lodash} (new), pg +100 (${pg - 100} → ${pg}). `,
      ),
    ])
  })

  it('leave room for many tables and an ordinary package', async () => {
    const { folder } = checkout
    // Far more than the fifth table, and a package as large as a payment provider's.
    const list = 'lib/app/migrations/index.ts'
    const ballast = `export const ballast = ${JSON.stringify('CREATE TABLE anything (id uuid PRIMARY KEY)'.repeat(8_000))}\n`
    checkout.write('lib/app/migrations/ballast.ts', ballast)
    const text = readFileSync(join(folder, list), 'utf8')
    checkout.write(list, `import { ballast } from './ballast.ts'\nglobalThis.process.env.NEVER = ballast\n${text}`)
    try {
      const proofs = await proveBundles({ checkout: folder, metafile: await buildBundles(folder) })
      const migrate = proofs.find(({ name }) => name === 'ops/migrate')
      expect(migrate?.bytes).toBeGreaterThan(500_000)
      expect([migrate?.problems, migrate?.warnings]).toEqual([[], []])
      for (const { bytes } of proofs) expect(readSizes(join(folder, SIZES_FILE)).warnAbove - bytes).toBeGreaterThan(500_000)
    } finally {
      checkout.write(list, text)
    }
  })

  it.each([
    ['z.date()', 'Date cannot be represented'],
    ['z.pipe(z.string(), z.transform(text => text.length))', 'Transforms cannot be represented'],
    ['z.custom()', 'Custom types cannot be represented'],
  ])('are refused for a contract that cannot be written: %s', async (schema, reason) => {
    const { folder } = checkout
    const file = 'packages/api/user/index.ts'
    const text = readFileSync(join(folder, file), 'utf8')
    checkout.write(file, text.replace('schema: userSchema }', `schema: z.strictObject({ odd: ${schema} }) }`))
    try {
      const proofs = await proveBundles({ checkout: folder, metafile: await buildBundles(folder) })
      const [problem, ...others] = proofs.find(({ name }) => name === 'api/user')?.problems ?? []
      expect(problem).toMatch(new RegExp(`^${file}: its contract cannot be written: POST /: ${reason}.*: use a schema of what JSON holds`))
      expect(others).toEqual([])
    } finally {
      checkout.write(file, text)
    }
  })

  it('are recorded by package, with their ceilings kept', async () => {
    const { folder } = checkout
    const file = join(folder, SIZES_FILE)
    const sizes = readSizes(file)
    writeFileSync(file, JSON.stringify({ ...sizes, functions: { ...sizes.functions, 'api/user': { ceiling: 9_000_000 } } }))
    const ceilings = () =>
      Object.entries(readSizes(join(folder, SIZES_FILE)).functions).flatMap(([name, { ceiling }]) => (ceiling === undefined ? [] : [[name, ceiling]]))
    const before = ceilings()
    const proofs = await proveBundles({ checkout: folder, metafile: await buildBundles(folder) })
    recordProofs(folder, proofs)
    expect(ceilings()).toEqual(before)
    for (const { name, bytes, composition } of proofs) {
      expect(Object.values(composition).reduce((sum, one) => sum + one, 0)).toBe(bytes)
      expect(readSizes(join(folder, SIZES_FILE)).functions[name]?.packages).toEqual(composition)
    }
  })
})

describe('npm run build', () => {
  const PASSED = JSON.stringify(Object.fromEntries(migrate.variables.map(name => [name, 'none'])))
  const PROJECT = `packages:\n  - name: ops\n    functions:\n      - { name: migrate, runtime: "nodejs:24", web: false, limits: { memory: 256 }, environment: ${PASSED} }\n`
  const INCLUDE = 'packages/ops/migrate/.include'
  let checkout: Checkout
  beforeEach(() => {
    checkout = copyCheckout(['build.sh', 'lib', 'package.json', 'package-lock.json', 'packages/ops/migrate'])
    checkout.write('project.yml', PROJECT)
  })
  afterEach(() => checkout.remove())

  const build = async (...args: string[]) => {
    const child = spawn(process.execPath, [join(checkout.folder, 'lib/functions-devkit/src/build/command.ts'), ...args], {
      cwd: checkout.folder,
      env: environmentOf(checkout.folder),
    })
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
    return { status: child.exitCode, out, err, built: globSync('packages/*/*/dist', { cwd: checkout.folder }) }
  }

  it('checks, builds and proves, and ends with 0', async () => {
    const { status, out, built } = await build()
    expect([status, built]).toEqual([0, ['packages/ops/migrate/dist']])
    expect(out).toMatch(/^0 problems, \d warnings\nops\/migrate {2}\d+ of \d+ bytes, loads in \d+ ms\n$/m)
  })

  it('builds nothing when the check refuses something, and says what', async () => {
    checkout.write('packages/ops/notes.md', '')
    expect(await build()).toMatchObject({ status: 1, out: expect.stringContaining('problem packages/ops/notes.md: ') as string, built: [] })
  })

  it('warns of memory that is too small for what it has just built, and of nothing twice', async () => {
    checkout.write('project.yml', PROJECT.replace('memory: 256', 'memory: 128').replace('ops\n', 'ops\n    environment: { A: a }\n'))
    // A function that brings a megabyte along.
    const file = 'packages/ops/migrate/index.ts'
    checkout.write(file, `${readFileSync(join(checkout.folder, file), 'utf8')}Object.assign(globalThis, { ballast: '${'x'.repeat(1_000_000)}' })\n`)
    checkout.write(SIZES_FILE, JSON.stringify({ warnAbove: 2_000_000, functions: {} }))
    const { status, out } = await build()
    expect([status, out.match(/(?<=\()[\w-]+:[\w/]+(?=\)$)/gm)]).toEqual([0, ['shared-environment:ops', 'small-memory:ops/migrate']])
  })

  it('ends with 1 for a variable that project.yml does not pass', async () => {
    checkout.write('project.yml', PROJECT.replace('"DB_MIGRATION_URL":"none",', ''))
    expect(await build()).toMatchObject({
      status: 1,
      out: 'problem project.yml: ops/migrate gets DB_MIGRATION_URL. Run npm run sync.\n1 problem, 0 warnings\n',
    })
  })

  it('checks again what was built: what .include names has to be there then', async () => {
    checkout.write(INCLUDE, 'dist/templates/mail.html\n')
    const { status, out } = await build()
    expect(status).toBe(1)
    expect(out).toContain(`problem ${INCLUDE}:4:1: dist/templates/mail.html is not there although the build is done`)
  })

  it('builds through the hook that the deployer runs, from its folder, so that a broken one shows', async () => {
    writeFileSync(join(checkout.folder, 'lib/build.sh'), '#!/bin/bash\nexec ../make.sh\n')
    const { status, err, built } = await build()
    expect({ status, err, built }).toEqual({ status: 1, err: expect.stringMatching(/make\.sh[^]*The build failed/) as string, built: [] })

    writeFileSync(join(checkout.folder, 'lib/build.sh'), '#!/bin/bash\r\nexec ../build.sh\r\n')
    expect(await build()).toMatchObject({ status: 1, err: expect.stringMatching(/^lib\/build\.sh cannot be started \(.*\)\n$/m) as string })
  })

  it('passes over a sequence, which has no code to build', async () => {
    checkout.write('project.yml', `${PROJECT}      - { name: twice, web: false, sequence: [ops/migrate, ops/migrate] }\n`)
    expect(await build()).toMatchObject({ status: 0, built: ['packages/ops/migrate/dist'] })
  })

  it('says what it does and how far it is, unless that is not wanted', async () => {
    const { err } = await build()
    expect(err).toBe('checking project.yml\nbuilding 1 function\nchecking what was built\nproving ops/migrate (1 of 1)\n')
    expect(await build('--quiet')).toMatchObject({ status: 0, err: '' })
  })

  it('lists the functions for a wrong name behind --why, and builds nothing', async () => {
    const { status, out, err, built } = await build('--why', 'ops/migrat')
    expect({ status, out, built }).toEqual({ status: 1, out: '', built: [] })
    expect(err).toContain('project.yml names no function ops/migrat; it names ops/migrate\n')
  })

  it('ends with 2 and the usage for an option that does not exist', async () => {
    expect(await build('--recrod')).toMatchObject({ status: 2, out: '', err: expect.stringMatching(/'--recrod'[^]*usage: npm run build/) as string })
  })

  it('prints the usage when asked for it', async () => {
    expect(await build('--help')).toMatchObject({ status: 0, out: expect.stringMatching(/^usage: npm run build/) as string, err: '' })
  })
})
