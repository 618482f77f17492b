import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { copyCheckout, environmentOf, type Checkout } from '../support/checkout.ts'

const FUNCTION = (name: string, more = '') => `import { textOr } from '../../../lib/functions-runtime/src/settings/schemas.ts'
import { defineSettings, setting } from '../../../lib/functions-runtime/src/settings/settings.ts'
import { defineFunction } from '../../../lib/functions-runtime/src/edge/define.ts'

const greeting = defineSettings({ GREETING: setting(textOr('Hello'), 'how users are greeted') }, ({ GREETING }) => ({ GREETING }))
export const main = defineFunction({ name: '${name}', openBecause: 'a test', settings: { greeting }, setup: () => ({}), routes: {}${more} })
`

describe('npm run sync', () => {
  let checkout: Checkout
  beforeEach(() => {
    checkout = copyCheckout(['lib', 'package.json', 'package-lock.json', 'packages', 'project.yml', 'build.sh'])
  })
  afterEach(() => checkout.remove())

  const run = (command: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: checkout.folder, encoding: 'utf8', env: environmentOf(checkout.folder) })
    return { status, output: stdout + stderr }
  }
  const sync = (...args: string[]) => run('node', 'lib/functions-devkit/src/cli/sync.ts', ...args)
  const read = (path: string) => readFileSync(join(checkout.folder, path), 'utf8')

  it('writes the block and the documentation of a new function, once', () => {
    checkout.write('packages/api/hello/index.ts', FUNCTION('api/hello'))
    checkout.write(
      '.env.example',
      '# --- Settings of the application: written by npm run sync, do not edit ---\n# --- End of the settings of the application ---\n',
    )
    checkout.write('.env', 'OTHER=1\n')
    expect(sync('--check')).toMatchObject({ status: 1, output: expect.stringContaining('project.yml: api/hello is new\n') as string })
    const { status, output } = sync()
    const lines = /^written: project\.yml: api\/hello is new\nwritten: \.env\.example\nAdd to \.env, which doctl reads:\n/
    expect([status, output]).toEqual([0, expect.stringMatching(lines)])
    expect(output).toContain('\n  GREETING=Hello\n')
    expect(read('project.yml')).toContain('      - name: hello\n')
    expect(read('.env.example')).toContain('# How users are greeted\nGREETING=Hello\n')
    expect(sync('--check')).toEqual({ status: 0, output: '' })
  })

  it('says what is wrong with a function, and writes nothing', () => {
    const before = read('project.yml')
    checkout.write('packages/api/hello/index.ts', FUNCTION('api/other'))
    expect(sync()).toEqual({
      status: 1,
      output: 'packages/api/hello/index.ts: is named api/other, and its folder is api/hello. Make them the same\n',
    })
    checkout.write('packages/api/hello/index.ts', `${FUNCTION('api/hello')}\nthrow new Error('not today')\n`)
    expect(sync()).toEqual({ status: 1, output: 'packages/api/hello/index.ts:8: not today\n' })
    checkout.write('packages/api/hello/index.ts', 'export const nothing = 1\n')
    expect(sync()).toEqual({ status: 1, output: 'packages/api/hello/index.ts: exports no main that defineFunction made\n' })
    expect(read('project.yml')).toBe(before)
  })

  it('leaves a function alone that is not made by defineFunction and has a block', () => {
    checkout.write('packages/api/hello/index.ts', 'export const main = () => ({})\n')
    expect(sync()).toMatchObject({ status: 1 })
    checkout.write(
      'project.yml',
      read('project.yml').replace('  - name: ops\n', '      - name: hello\n        runtime: nodejs:24\n        web: false\n  - name: ops\n'),
    )
    expect(sync()).toEqual({ status: 0, output: '' })
  })

  it('refuses two functions that document one variable differently', () => {
    checkout.write('packages/api/hello/index.ts', FUNCTION('api/hello'))
    checkout.write('packages/api/other/index.ts', FUNCTION('api/other').replace("textOr('Hello')", "textOr('Bye')"))
    expect(sync()).toEqual({
      status: 1,
      output:
        'packages/api/other/index.ts: documents GREETING otherwise than packages/api/hello/index.ts does. Let both read the same group of settings\n',
    })
  })

  it('names the source of a schedule that the platform refuses, and works again once it is corrected', () => {
    checkout.write('packages/api/hello/index.ts', FUNCTION('api/hello', ", schedules: [{ name: 'a', cron: 'daily' }]"))
    expect(sync()).toMatchObject({ status: 1, output: expect.stringMatching(/^packages\/api\/hello\/index\.ts: cron /) as string })
    checkout.write('packages/api/hello/index.ts', FUNCTION('api/hello'))
    expect(sync()).toMatchObject({ status: 0 })
  })

  it('removes the block of a function of which only products are left', () => {
    rmSync(join(checkout.folder, 'packages/api/user'), { recursive: true })
    checkout.write('packages/api/user/dist/index.js', '')
    checkout.write('packages/api/user/.include', 'dist/index.js\n')
    expect(sync()).toEqual({ status: 0, output: 'written: project.yml: api/user is gone\n' })
    expect(read('project.yml')).not.toContain('- name: user')
  })

  it('refuses unknown options, and a project.yml that is not valid', () => {
    expect(sync('--chekc')).toMatchObject({ status: 2, output: expect.stringContaining('usage: npm run sync') as string })
    checkout.write('project.yml', read('project.yml').replace('web: raw', 'web: open'))
    expect(sync()).toMatchObject({ status: 1, output: expect.stringMatching(/^project\.yml:\d+: web is neither .* strings\n$/) as string })
  })

  it('is what a build and a deployment ask for while something is stale', () => {
    checkout.write('packages/api/hello/index.ts', FUNCTION('api/hello'))
    const built = run('node', 'lib/functions-devkit/bin/functions-devkit.mjs', 'build')
    expect(built).toMatchObject({
      status: 1,
      output: expect.stringContaining('problem project.yml: api/hello is new. Run npm run sync.\n') as string,
    })
    expect(run('bash', 'build.sh', '--check')).toMatchObject({
      status: 1,
      output: expect.stringContaining('problem project.yml: api/hello is new. Run npm run sync.\n') as string,
    })
    sync()
    expect(run('bash', 'build.sh', '--check')).toEqual({ status: 0, output: '' })
    expect(read('packages/api/hello/.include').split('\n')).toContain('dist/index.js')
  })
})
