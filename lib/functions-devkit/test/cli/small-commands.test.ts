import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copyCheckout, type Checkout } from '../support/checkout.ts'
import { originOf } from '../support/tested-application.ts'

describe('npm run logs', () => {
  let checkout: Checkout
  beforeAll(() => {
    checkout = copyCheckout(['lib', 'package.json', 'packages', 'project.yml'])
  })
  afterAll(() => checkout.remove())

  const run = (script: string, ...args: string[]) =>
    execFileSync('node', [script, ...args], { cwd: checkout.folder, encoding: 'utf8', env: { PATH: process.env.PATH } })

  it('tells where the lines are, and which functions have theirs forwarded', () => {
    expect(run('lib/functions-devkit/src/cli/logs.ts')).toMatch(/Forwarded now: none\. Not forwarded: api\/webhook, api\/user, api\/health\./)
    const project = readFileSync(originOf('project.yml'), 'utf8')
    checkout.write('project.yml', project.replace(/API_KEYS\)/, 'API_KEYS LOG_DESTINATIONS)'))
    expect(run('lib/functions-devkit/src/cli/logs.ts')).toMatch(/Forwarded now: api\/user\. Not forwarded: api\/webhook, api\/health\./)
  })
})
