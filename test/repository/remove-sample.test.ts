import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { addressOf } from '../../lib/functions-devkit/test/support/npm-start.ts'
import { REPOSITORY } from '../../lib/functions-devkit/test/support/tested-application.ts'
import { useWholeCheckout } from '../support/whole-checkout.ts'

const checkout = useWholeCheckout()
const { scripts } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
const removeSample = () => checkout.run('sh', '-c', scripts['remove-sample'] ?? 'false')

describe('an application without the sample', () => {
  beforeAll(async () => {
    const { status, output } = await removeSample()
    if (status !== 0) throw new Error(output)
  })

  test('has no users, transactions and activities', () => {
    const files = globSync(['lib/app/**/*.ts', 'packages/*/*/*.ts', 'project.yml'], { cwd: checkout.checkout })
    expect(files.length).toBeGreaterThan(10)
    const sample = /import .*(user|transaction|activit|balance)|'(users|transactions|activities|balances)'|ACTIVITY_|name: user$/im
    expect(files.filter(path => sample.test(readFileSync(join(checkout.checkout, path), 'utf8')))).toEqual([])
  })

  test('serves a webhook that npm start prints', async () => {
    const server = await checkout.launchAndWait()
    const [command] = server.output().match(/^curl .*$/m) ?? []
    const { stdout } = spawnSync('sh', ['-c', command ?? 'false'], { encoding: 'utf8' })
    expect(stdout).toMatch(/"outcome":"applied".*\(200\)/)
    expect((await fetch(`${addressOf(server)}/health/ready`)).status).toBe(200)
    expect((await fetch(`${addressOf(server)}/user`)).status).toBe(404)
    const smoke = await checkout.run('node', 'lib/functions-devkit/src/cli/smoke.ts')
    expect(smoke).toMatchObject({ status: 0, output: expect.stringContaining('All is well.') as string })
  })

  test('passes all tests', { timeout: 3_600_000 }, async () => {
    expect(await checkout.failures()).toEqual([])
  })

  test('cannot lose the sample twice', async () => {
    expect(await removeSample()).toMatchObject({ status: 2, output: expect.stringContaining('the sample was removed before') as string })
  })
})

test('every file that belongs to the sample is there', () => {
  const { files } = JSON.parse(readFileSync(join(REPOSITORY, 'lib/app/sample.json'), 'utf8')) as { files: string[] }
  expect(files.filter(path => !existsSync(join(REPOSITORY, path)))).toEqual([])
})

describe('the removal', () => {
  const other = useWholeCheckout()

  test('is refused while a file of the application uses the sample, and changes nothing', async () => {
    const own = 'lib/app/orders.ts'
    other.write(
      own,
      "import { tables } from './tables.ts'\nimport { userUnknown } from './users/unknown.ts'\n\nexport const orderOf = () => [userUnknown, tables].length + Number(userUnknown)\n",
    )
    const { status, output } = await other.run('sh', '-c', scripts['remove-sample'] ?? 'false')
    expect([status, output]).toEqual([1, `Nothing was removed:\n  ${own}:4 uses userUnknown of the sample: change it first\n`])
    expect(existsSync(join(other.checkout, 'lib/app/users'))).toBe(true)
  })
})
