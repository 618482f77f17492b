import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { camelCaseOf, identifierOf, pascalCaseOf, singularOf, slugOf } from '../../src/new/names.ts'
import { copyCheckout, environmentOf, type Checkout } from '../support/checkout.ts'

const WRITTEN: readonly (readonly [args: readonly string[], files: readonly string[]])[] = [
  [
    ['function', 'greetings'],
    ['packages/api/greetings/index.ts', 'test/api/greetings.test.ts'],
  ],
  [
    ['function', 'jobs/send', 'mails', '--schedule', '0 3 * * *'],
    ['packages/jobs/send-mails/index.ts', 'test/jobs/send-mails.test.ts'],
  ],
  [
    ['function', 'delete'],
    ['packages/api/delete/index.ts', 'test/api/delete.test.ts'],
  ],
  [
    ['table', 'order'],
    ['lib/app/tables/order.ts', 'test/tables/order.test.ts'],
  ],
  [
    ['table', 'OrderItems'],
    ['lib/app/tables/order-items.ts', 'test/tables/order-items.test.ts'],
  ],
  [
    ['table', 'new'],
    ['lib/app/tables/new.ts', 'test/tables/new.test.ts'],
  ],
  [
    ['sender', 'acme'],
    ['lib/app/webhooks/sources/acme.ts', 'test/webhooks/acme.test.ts'],
  ],
  [
    ['sender', 'my', 'shop', '--scheme', 'hmac'],
    ['lib/app/webhooks/sources/my-shop.ts', 'test/webhooks/my-shop.test.ts'],
  ],
  [
    ['setting', 'greeting', '--meaning', "how it's said", '--default', 'Hello'],
    ['lib/app/settings/greeting.ts', 'test/settings/greeting.test.ts'],
  ],
  [
    ['setting', 'max', 'items', '--default', '20'],
    ['lib/app/settings/max-items.ts', 'test/settings/max-items.test.ts'],
  ],
]

describe('npm run new', () => {
  let checkout: Checkout
  const results = new Map<readonly string[], { readonly status: number | null; readonly output: string }>()
  beforeAll(() => {
    checkout = copyCheckout(['lib', 'package.json', 'packages', 'project.yml', '.prettierrc.json', '.env.example'])
    for (const [args] of WRITTEN) results.set(args, write(...args))
  }, 300_000)
  afterAll(() => checkout.remove())

  const run = (program: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync('node', [program, ...args], {
      cwd: checkout.folder,
      encoding: 'utf8',
      env: environmentOf(checkout.folder),
    })
    return { status, output: stdout + stderr }
  }
  const write = (...args: string[]) => run('lib/functions-devkit/src/cli/new.ts', ...args)
  const read = (path: string) => readFileSync(join(checkout.folder, path), 'utf8')

  it.each(WRITTEN)('%s writes its files, in the style of the application', (args, files) => {
    const { status, output } = results.get(args) ?? { status: undefined, output: '' }
    expect(output.match(/^written: \S+$/gm)?.slice(0, 2)).toEqual(files.map(file => `written: ${file}`))
    expect([status, output]).toEqual([0, expect.stringContaining('next: ') as string])
    const checked = spawnSync('node_modules/.bin/prettier', ['--check', ...files], { cwd: checkout.folder, encoding: 'utf8' })
    expect([checked.status, checked.stderr]).toEqual([0, ''])
    expect(write(...args)).toMatchObject({ status: 2, output: expect.stringMatching(/already|taken/) as string })
  })

  it('leaves a project that needs no sync and has the new functions', () => {
    expect(run('lib/functions-devkit/src/cli/sync.ts', '--check')).toEqual({ status: 0, output: '' })
    expect(read('project.yml')).toMatch(/- name: send-mails\n(?:.*\n)*? +triggers:\n +- name: send-mails\n/)
    expect(read('lib/app/tables/index.ts')).toContain("import { newTable } from './new.ts'")
  })

  it.each([
    [['function', 'user'], /There is a function api\/user already/],
    [['function', 'shop/user'], /There is a function of this name already: packages\/api\/user/],
    [['function', 'x'.repeat(60)], /at most 50 characters/],
    [['function', 'dist'], /git, which ignores folders named dist/],
    [['function', 'a', '--schedule', '99 99 * * *'], /The schedule "99 99 \* \* \*": /],
    [['function', 'health-every-5-minutes', '--schedule', '0 3 * * *'], /has a trigger health-every-5-minutes already/],
    [['function', 'a/b/c'], /named <package>\/<function>/],
    [['function', 'a', '--schedule', 'daily'], /The schedule "daily": /],
    [['table', '9lives'], /letters, digits and -/],
    [['table', 'ORDERS', '--scheme', 'hmac'], /A table takes no --scheme/],
    [['sender', 'other', '--scheme', 'paypal'], /no scheme paypal; there are standard, /],
    [['setting', 'log', 'level'], /LOG_LEVEL is taken: \.env\.example/],
    [['setting', 'node', 'options'], /NODE_OPTIONS is taken: Node or the platform/],
    [['setting', 'a', '--default'], /--default/],
    [['tabel', 'orders'], /^usage: /],
    [['table'], /^usage: /],
    [[], /^usage: /],
  ])('refuses %j and writes nothing', (args, reason) => {
    const before = read('project.yml')
    expect(write(...args)).toMatchObject({ status: 2, output: expect.stringMatching(reason) as string })
    expect(read('project.yml')).toBe(before)
    expect(existsSync(join(checkout.folder, 'lib/app/tables/orders.ts'))).toBe(false)
  })

  it('overwrites no file that is there', () => {
    checkout.write('test/api/keys.test.ts', 'mine')
    expect(write('function', 'keys')).toEqual({ status: 2, output: 'test/api/keys.test.ts is there already. Choose another name\n' })
    expect([read('test/api/keys.test.ts'), existsSync(join(checkout.folder, 'packages/api/keys'))]).toEqual(['mine', false])
  })

  it('refuses a table whose model another table has', () => {
    expect(write('table', 'orders')).toMatchObject({ status: 2, output: "lib/app/tables/order.ts has model: 'Order' already. Choose another name\n" })
  })
})

describe('a name', () => {
  it.each([
    [['orders'], 'orders', 'orders', 'Order'],
    [['order', 'items'], 'order-items', 'orderItems', 'OrderItem'],
    [['OrderItems'], 'order-items', 'orderItems', 'OrderItem'],
    [['order_items'], 'order-items', 'orderItems', 'OrderItem'],
    [['companies'], 'companies', 'companies', 'Company'],
    [['boxes'], 'boxes', 'boxes', 'Box'],
    [['addresses'], 'addresses', 'addresses', 'Address'],
    [['status'], 'status', 'status', 'Status'],
    [['s3', 'keys'], 's3-keys', 's3Keys', 'S3Key'],
  ])('of the words %j has its forms', (words, slug, camelCase, model) => {
    expect([slugOf(words), camelCaseOf(slug), pascalCaseOf(singularOf(slug))]).toEqual([slug, camelCase, model])
  })

  it.each(['', '-', '9a', 'ä', 'a--b', 'a/b', '../a'])('cannot be %j', word => {
    expect(() => slugOf([word])).toThrow(/made of letters/)
  })

  it.each(['new', 'delete', 'class', 'await', 'undefined', 'default'])('that is reserved gets an ending: %s', word => {
    expect(identifierOf(word, 'Table')).toBe(`${word}Table`)
  })
})
