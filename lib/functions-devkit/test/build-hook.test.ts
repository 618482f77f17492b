import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findDoctl } from '../src/cli/doctl/doctl.ts'
import { copyCheckout, type Checkout } from './support/checkout.ts'
import { createDoctl } from './support/doctl.ts'
import { environmentFile, exampleVariables } from './support/environment-file.ts'

// `doctl serverless deploy` by hand, without npm run deploy.
let checkout: Checkout
let doctl: ReturnType<typeof createDoctl>
const outside = { ...process.env }

beforeEach(() => {
  checkout = copyCheckout(['lib', 'packages', 'build.sh', 'project.yml', 'package.json', 'package-lock.json'])
  checkout.write('.env', environmentFile(exampleVariables(readFileSync(join(checkout.folder, 'project.yml'), 'utf8'))))
  doctl = createDoctl()
  Object.assign(process.env, doctl.environment)
})
afterEach(() => {
  Object.assign(process.env, outside)
  doctl[Symbol.dispose]()
  checkout.remove()
})

const deploy = (...words: string[]) => findDoctl(checkout.folder)('serverless', 'deploy', '.', '--env', '.env', ...words)

describe('the hook of the deployer', () => {
  it('lets a sound project be deployed', async () => {
    expect(await deploy()).toMatchObject({ status: 0, stderr: '' })
    expect(Object.keys(doctl.read().functions)).toHaveLength(5)
  })

  it.each([
    ['an undeclared function', 'packages/api/debug/index.js', 'packages/api/debug: project.yml does not declare the function'],
    ['an undeclared package', 'packages/debug/dump/index.js', 'packages/debug: project.yml does not declare the package'],
    ['a loose file', 'packages/api/notes.md', 'packages/api/notes.md: a file in the folder of a package is deployed'],
  ])('deploys nothing beside %s', async (_what, file, problem) => {
    checkout.write(file, 'exports.main = () => process.env\n')
    for (const words of [[], ['--include', 'api'], ['--incremental']]) {
      const { status, stdout, stderr } = await deploy(...words)
      expect([status, stderr]).toEqual([1, "Error: './build.sh' exited with code 1\n"])
      expect(stdout).toContain(`problem ${problem}`)
    }
    expect(doctl.read().functions).toEqual({})
  })

  it('deploys nothing with a key that the deployer passes over', async () => {
    const text = readFileSync(join(checkout.folder, 'project.yml'), 'utf8')
    checkout.write('project.yml', text.replace('        web: false\n', '        web: false\n        websecure: false\n'))
    expect((await deploy()).stdout).toMatch(/problem project\.yml:\d+:\d+ .*the key is not known/)
    expect(doctl.read().functions).toEqual({})
  })
})
