import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { recordVersion } from '../../lib/functions-devkit/src/upgrade/release.ts'
import { readFolder } from '../../lib/functions-devkit/src/upgrade/tree.ts'
import { readRecord } from '../../lib/functions-devkit/src/upgrade/record.ts'
import { REPOSITORY } from '../../lib/functions-devkit/test/support/tested-application.ts'
import { addAsTheReadmeSays } from '../support/readme-edits.ts'
import { useWholeCheckout } from '../support/whole-checkout.ts'

type Edits = Readonly<Record<string, (before: string) => string>>
interface Manifest {
  workspaces: string[]
  scripts: Record<string, string>
  dependencies: Record<string, string>
}

/** Puts lines before the first one that begins like this. */
const before = (mark: string, lines: string) => (text: string) => {
  const at = text.search(new RegExp(`^${mark}`, 'm'))
  if (at === -1) throw new Error(`no line begins with ${mark}`)
  return text.slice(0, at) + lines + text.slice(at)
}
const atEnd = (lines: string) => (text: string) => text + lines
const json = (change: (manifest: Manifest) => void) => (text: string) => {
  const manifest = JSON.parse(text) as Manifest
  change(manifest)
  return `${JSON.stringify(manifest, null, 2)}\n`
}
const HELLO = `      - name: hello
        runtime: nodejs:24
        web: raw
        limits: { timeout: 10000, memory: 256 }
`

/** What a user does. */
const OURS: Edits = {
  'packages/api/hello/index.ts': () => `import { defineFunction } from '../../../lib/functions-runtime/src/edge/define.ts'
import { json } from '../../../lib/functions-runtime/src/edge/reply.ts'

export const main = defineFunction({
  name: 'api/hello',
  openBecause: 'a greeting is no secret',
  settings: {},
  setup: () => ({}),
  routes: { 'GET /{name}': async ({ params }) => json(200, { text: params.name }) },
})
`,
  'packages/api/hello/.include': () => 'dist/index.js\n../../../lib/zip/package.json\n',
  'project.yml': before(' {2}- name: ops', HELLO),
  'lib/app/migrations/2026-12-01-0900-orders.ts': () => `import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'

export const orders: Migration = {
  name: '2026-12-01-0900-orders',
  async up({ query }) {
    await query('CREATE TABLE orders (id uuid PRIMARY KEY)')
  },
}
`,
  'lib/mine/package.json': () => '{ "name": "mine", "private": true }\n',
  'package.json': json(({ workspaces, scripts, dependencies }) => {
    workspaces.push('lib/mine')
    scripts['orders'] = 'node lib/mine/orders.ts'
    dependencies['left-pad'] = '1.3.0'
  }),
  'README.md': text => text.replace(/^# .*/, '# Orders'),
  '.env.example': atEnd('# Whom to greet\nGREETING=Hello\n'),
  '.gitignore': atEnd('mine/\n'),
  'test/tables.test.ts': before('import', '// Ours, too.\n'),
}

/** What the next version changes. */
const THEIRS: Edits = {
  'lib/functions-runtime/src/edge/reply.ts': atEnd('\nexport const isNextVersion = true\n'),
  'lib/invocation/src/next.ts': () => 'export const next = true\n',
  'lib/greetings/package.json': () => '{ "name": "greetings", "private": true }\n',
  'lib/greetings/src/greet.ts': () => 'export const greet = (name: string) => `Hello, ${name}`\n',
  '.config/dependency-cruiser.js': before(' {2}app: \\{', "  greetings: { path: '^lib/greetings/src/', imports: [], npm: [] },\n"),
  'build.sh': atEnd('# of the next version\n'),
  'project.yml': before('packages:', '# of the next version\n'),
  'package.json': json(({ workspaces, scripts, dependencies }) => {
    workspaces.splice(workspaces.indexOf('lib/invocation'), 0, 'lib/greetings')
    scripts['greet'] = 'node lib/greetings/src/greet.ts'
    dependencies['pg'] = '8.99.0'
  }),
  'README.md': atEnd('\n## Greetings\n\nOf the next version.\n'),
  'CHANGELOG.md': before('- ', '- Added: greetings.\n'),
  '.gitignore': atEnd('theirs/\n'),
  'test/greetings.test.ts': () => "import { expect, it } from 'vitest'\n\nit('greets', () => expect(1).toBe(1))\n",
  // Of the sample.
  'lib/app/users/greeting.ts': () => "import { userUnknown } from './unknown.ts'\n\nexport const greeting = () => userUnknown\n",
  'lib/app/users/unknown.ts': atEnd('\nexport const isKnown = true\n'),
}

function edit(folder: string, edits: Edits): void {
  for (const [path, change] of Object.entries(edits)) {
    const file = join(folder, path)
    const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
    const changed = change(text)
    if (changed === text) throw new Error(`the edit of ${path} changes nothing`)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, changed)
  }
}

const root = mkdtempSync(join(tmpdir(), 'next-version-'))
afterAll(() => rmSync(root, { recursive: true }))

/** Makes the next version of a checkout, which is recorded as the version that it is made from. */
function nextVersionOf(folder: string): string {
  recordVersion(folder, '1.0.0')
  const next = join(root, basename(folder))
  cpSync(folder, next, { recursive: true, filter: path => !path.includes('node_modules') })
  edit(next, THEIRS)
  recordVersion(next, '1.1.0')
  return next
}

test('the record names what is there, and has the texts of what both sides edit', () => {
  const { record, files } = readRecord(REPOSITORY) ?? {}
  const named = [record?.framework, record?.shared, Object.keys(record?.lists ?? {}), record?.optional].flatMap(paths => paths ?? [])
  expect(named.length).toBeGreaterThan(10)
  expect(named.filter(path => !existsSync(join(REPOSITORY, path)))).toEqual([])
  expect(['package.json', 'README.md', 'lib/app/project.ts', 'lib/invocation/package.json'].map(path => files?.has(path))).toEqual([
    true,
    true,
    true,
    false,
  ])
})

// The undo comes last.
describe('an application with edits of its own', { shuffle: false }, () => {
  const checkout = useWholeCheckout()
  const read = (path: string) => readFileSync(join(checkout.checkout, path), 'utf8')
  let next: string
  let edited: string[]
  let upgraded: { status: number; output: string }
  beforeAll(async () => {
    next = nextVersionOf(checkout.checkout)
    const before = readFolder(checkout.checkout)
    await addAsTheReadmeSays(checkout)
    edit(checkout.checkout, OURS)
    const after = readFolder(checkout.checkout)
    edited = [...after].filter(([path, { content }]) => before.get(path)?.content.equals(content) !== true).map(([path]) => path)
    upgraded = await checkout.run('node', 'lib/functions-devkit/src/cli/upgrade.ts', '--source', next)
  })

  test('is upgraded without a conflict', () => {
    expect(upgraded).toMatchObject({ status: 0, output: expect.stringMatching(/Next:\n {2}npm install\n/) as string })
    expect(upgraded.output).not.toContain('Conflicts')
  })

  test('has the edits of both sides', () => {
    const { workspaces, scripts, dependencies } = JSON.parse(read('package.json')) as Manifest
    expect(workspaces).toEqual(expect.arrayContaining(['lib/mine', 'lib/greetings']))
    expect([scripts['orders'], scripts['greet']]).toEqual([expect.any(String), expect.any(String)])
    expect(dependencies).toMatchObject({ 'left-pad': '1.3.0', pg: '8.99.0' })
    expect(read('project.yml')).toContain(HELLO)
    expect(read('project.yml')).toContain('# of the next version\npackages:')
    expect(read('README.md')).toMatch(/^# Orders\n[^]*\n## Greetings\n\nOf the next version\.\n$/)
    expect(read('.gitignore')).toMatch(/mine\/\ntheirs\/\n$/)
  })

  test('has every file that it never edited as the next version has it', () => {
    const ours = readFolder(checkout.checkout)
    const differing = [...readFolder(next)].filter(([path, { content, executable }]) => {
      const here = ours.get(path)
      return here?.executable !== executable || !here?.content.equals(content)
    })
    const onBothSides = edited.filter(path => existsSync(join(next, path)))
    expect(onBothSides.length).toBeGreaterThan(10)
    expect(differing.map(([path]) => path).sort()).toEqual(onBothSides.sort())
  })

  test('compiles', { timeout: 600_000 }, async () => {
    expect(await checkout.run('tsc')).toMatchObject({ status: 0, output: '' })
  })

  test('is as before after an undo', async () => {
    const { status } = await checkout.run('node', 'lib/functions-devkit/src/cli/upgrade.ts', '--undo')
    expect([status, existsSync(join(checkout.checkout, 'lib/greetings'))]).toEqual([0, false])
    expect(read('package.json')).not.toContain('lib/greetings')
    expect(read('package.json')).toContain('lib/mine')
  })
})

describe('an application without the sample', () => {
  const checkout = useWholeCheckout()
  let upgraded: { status: number; output: string }
  beforeAll(async () => {
    const next = nextVersionOf(checkout.checkout)
    await checkout.run('node', 'lib/functions-devkit/src/cli/remove-sample.ts')
    upgraded = await checkout.run('node', 'lib/functions-devkit/src/cli/upgrade.ts', '--source', next)
  })

  test('is upgraded without a conflict, and does not get the sample back', () => {
    expect(upgraded.output).not.toContain('Conflicts')
    expect(upgraded).toMatchObject({ status: 0, output: expect.stringContaining('stays away:\n  lib/app/users/greeting.ts\n') as string })
    expect(['lib/app/users', 'lib/app/sample.json', 'packages/api/user'].filter(path => existsSync(join(checkout.checkout, path)))).toEqual([])
    expect(existsSync(join(checkout.checkout, 'lib/greetings/src/greet.ts'))).toBe(true)
  })

  test('compiles', { timeout: 600_000 }, async () => {
    expect(await checkout.run('tsc')).toMatchObject({ status: 0, output: '' })
  })
})
