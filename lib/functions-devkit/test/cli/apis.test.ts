import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copyCheckout, type Checkout } from '../support/checkout.ts'

const ORDERS = 'packages/api/orders/index.ts'
const orders = `import { json } from '../../../lib/functions-runtime/src/edge/reply.ts'
import { defineApi } from '../../../lib/app/api.ts'

export const main = defineApi({
  name: 'api/orders',
  operations: operation => [
    operation(
      'GET /',
      { operationId: 'listOrders', summary: 'Lists orders', scope: 'orders:read', answer: { status: 200, description: 'Orders.' } },
      () => json(200, {}),
    ),
  ],
})
`

let checkout: Checkout
beforeAll(() => {
  checkout = copyCheckout(['lib', 'package.json', 'packages', 'project.yml'])
})
afterAll(() => checkout.remove())

function run(command: string, ...args: string[]) {
  const program = join('lib/functions-devkit/src/cli', `${command}.ts`)
  const { status, stdout, stderr } = spawnSync('node', [program, ...args], {
    cwd: checkout.folder,
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  })
  return { status, stdout, stderr }
}

/** Runs a test with a second API, or with what its file holds instead. */
function withOrders(work: () => void, text = orders): void {
  checkout.write(ORDERS, text)
  try {
    work()
  } finally {
    rmSync(join(checkout.folder, ORDERS))
  }
}

describe('npm run keys', () => {
  it('prints a key once, and what the setting holds of it', () => {
    const { status, stdout } = run('keys', 'new', 'shop', 'users:read', 'users:write')
    expect(status).toBe(0)
    expect(stdout).toMatch(/\bkey_[\w-]{43}\b/)
    expect(stdout).toMatch(/\bshop\/users:read,users:write\/[0-9a-f]{64}\b/)
  })

  it('grants a scope that a function of one file declares', () => {
    withOrders(() => {
      expect(run('keys', 'new', 'shop', 'orders:read', 'users:read').stdout).toMatch(/\bshop\/orders:read,users:read\/[0-9a-f]{64}\b/)
    })
  })

  it('names the scopes that there are for one that is none', () => {
    withOrders(() => {
      expect(run('keys', 'new', 'shop', 'foo:read')).toEqual({
        status: 2,
        stdout: '',
        stderr: 'foo:read is no scope; the functions have: orders:read users:read users:write\n',
      })
    })
  })

  it('lists the scopes when none is given', () => {
    expect(run('keys', 'new', 'shop')).toEqual({
      status: 2,
      stdout: '',
      stderr: 'Say what the key is for; the functions have: users:read users:write\n',
    })
  })

  it.each([[[]], [['new']], [['new', 'bad name', 'users:read']], [['old', 'shop', 'users:read']]])('shows its usage for %j', args => {
    expect(run('keys', ...args)).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('npm run keys -- new <name> <scope …>') as string,
    })
  })

  it('names a function that cannot be loaded, with its mistake', () => {
    withOrders(
      () => {
        const { status, stderr } = run('keys', 'new', 'shop', 'orders:read')
        expect(status).toBe(2)
        expect(stderr).toMatch(
          /^api\/orders cannot be loaded: packages\/api\/orders\/index\.ts:4: api\/orders: GET \/: API_KEYS cannot hold the scope "orders read"/,
        )
        expect(stderr).toContain('orders:read is no scope; the functions have: users:read users:write')
        expect(run('keys', 'new', 'shop', 'users:read').status).toBe(0)
      },
      orders.replace('orders:read', 'orders read'),
    )
  })
})

describe('npm run openapi', () => {
  it('lists the functions that have a contract', () => {
    withOrders(() => {
      expect(run('openapi')).toEqual({ status: 0, stdout: 'api/orders  1 operations\napi/user  4 operations\n', stderr: '' })
    })
  })

  it('prints the contract of a function', () => {
    const { status, stdout } = run('openapi', 'api/user')
    expect([status, JSON.parse(stdout)]).toMatchObject([
      0,
      { openapi: '3.1.0', info: { title: 'Users' }, paths: { '/{userId}': { get: { operationId: 'readUser' } } } },
    ])
  })

  it('writes the contract of a function to a file', () => {
    expect(run('openapi', 'api/user', '--out', 'contract.json')).toEqual({ status: 0, stdout: '', stderr: '' })
    expect(readFileSync(join(checkout.folder, 'contract.json'), 'utf8')).toBe(run('openapi', 'api/user').stdout)
  })

  it.each([
    [['api/webhook'], 2, 'api/webhook has no contract; those that have one: api/user\n'],
    [['api/user', '--out', 'no/such/folder.json'], 1, 'The contract of api/user cannot be written: ENOENT'],
    [['--out', 'file.json'], 2, 'npm run openapi -- <package/function> [--out FILE]'],
    [['api/user', '--colour'], 2, 'npm run openapi -- <package/function> [--out FILE]'],
  ])('refuses %j', (args, status, message) => {
    expect(run('openapi', ...args)).toMatchObject({ status, stdout: '', stderr: expect.stringContaining(message) as string })
  })

  it('names a function that cannot be loaded, with its mistake', () => {
    withOrders(
      () => {
        const mistake = expect.stringMatching(/^api\/orders cannot be loaded: packages\/api\/orders\/index\.ts:\d+: /) as string
        expect(run('openapi')).toEqual({ status: 1, stdout: 'api/user  4 operations\n', stderr: mistake })
        expect(run('openapi', 'api/orders')).toEqual({ status: 1, stdout: '', stderr: mistake })
        expect(run('openapi', 'api/user').status).toBe(0)
      },
      orders.replace("'GET /'", "'/orders'"),
    )
  })
})
