import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copyCheckout, type Checkout } from '../support/checkout.ts'
import { originOf } from '../support/tested-application.ts'

describe('npm run', () => {
  let checkout: Checkout
  beforeAll(() => {
    checkout = copyCheckout(['lib', 'package.json', 'packages', 'project.yml'])
  })
  afterAll(() => checkout.remove())

  const run = (script: string, ...args: string[]) =>
    execFileSync('node', [script, ...args], { cwd: checkout.folder, encoding: 'utf8', env: { PATH: process.env.PATH } })

  it('keys prints a key once, and what the setting holds of it', () => {
    const printed = run('lib/functions-devkit/src/cli/keys.ts', 'new', 'shop', 'users:read', 'users:write')
    expect(printed).toMatch(/\bkey_[\w-]{43}\b/)
    expect(printed).toMatch(/\bshop\/users:read,users:write\/[0-9a-f]{64}\b/)
  })

  it('openapi writes the contract that is committed', () => {
    checkout.write('lib/app/api/openapi.json', '{}')
    run('lib/functions-devkit/src/cli/openapi.ts')
    expect(JSON.parse(readFileSync(join(checkout.folder, 'lib/app/api/openapi.json'), 'utf8'))).toEqual(
      JSON.parse(readFileSync(originOf('lib/app/api/openapi.json'), 'utf8')),
    )
  })

  it('logs tells where the lines are, and which functions have theirs forwarded', () => {
    expect(run('lib/functions-devkit/src/cli/logs.ts')).toMatch(/Forwarded now: none\. Not forwarded: api\/webhook, api\/user, api\/health\./)
    const project = readFileSync(originOf('project.yml'), 'utf8')
    checkout.write('project.yml', project.replace(/API_KEYS\)/, 'API_KEYS LOG_DESTINATIONS)'))
    expect(run('lib/functions-devkit/src/cli/logs.ts')).toMatch(/Forwarded now: api\/user\. Not forwarded: api\/webhook, api\/health\./)
  })
})
