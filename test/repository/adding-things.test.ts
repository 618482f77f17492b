import { execFile } from 'node:child_process'
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { addressOf, useNpmStart } from '../../lib/functions-devkit/test/support/npm-start.ts'
import { editsOf } from '../support/readme-edits.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const REST = ['.config', '.env.example', 'README.md', 'package-lock.json', 'test', 'tsconfig.json']
const readme = readFileSync(join(REPOSITORY, 'README.md'), 'utf8')
const npmStart = useNpmStart()

/** Runs a program of the changed checkout. */
async function run(program: string, ...args: string[]): Promise<string> {
  const PATH = `${join(npmStart.checkout, 'node_modules/.bin')}:${process.env.PATH}`
  const environment = { ...process.env, PATH, LOCAL_DATA_FOLDER: npmStart.data }
  const { stdout, stderr } = await promisify(execFile)(program, args, { cwd: npmStart.checkout, env: environment }).catch(
    (error: unknown) => error as { stdout: string; stderr: string },
  )
  return stdout + stderr
}

describe('what is added as the README says', () => {
  beforeAll(() => {
    for (const path of REST) cpSync(join(REPOSITORY, path), join(npmStart.checkout, path), { recursive: true })
    for (const { path, apply } of editsOf(readme, 'Adding things')) {
      const file = join(npmStart.checkout, path)
      npmStart.write(path, apply(existsSync(file) ? readFileSync(file, 'utf8') : undefined))
    }
  })

  test('works', async () => {
    const server = await npmStart.launchAndWait({ environment: { GREETING: 'Servus' } })
    const greet = async () => (await fetch(`${addressOf(server)}/hello/Ada`, { method: 'POST' })).json()
    expect(await greet()).toEqual({ text: 'Servus, Ada', count: 1 })
    expect(await greet()).toEqual({ text: 'Servus, Ada', count: 2 })
    expect(await run('node', 'lib/functions-devkit/src/cli/send.ts', 'acme', 'order.paid', '--data', '{"orderId":"1"}')).toMatch(
      /^200 applied {2}evt_\w+\n$/,
    )
    expect(server.output()).toContain('"event":"order.paid"')
    // One trigger calls both functions.
    const fired = await fetch(`${addressOf(server)}/__schedule/rounds-every-minute`, { method: 'POST' })
    expect([fired.status, await fired.json()]).toEqual([
      200,
      expect.objectContaining({
        result: {
          health: expect.objectContaining({ recorded: true }) as unknown,
          maintenance: expect.objectContaining({ outcome: 'complete' }) as unknown,
        },
      }),
    ])
  })

  test('is complete: types, build and agreement find nothing missing', { timeout: 120_000 }, async () => {
    const [types, build, tests] = await Promise.all([
      run('tsc'),
      run('node', 'lib/functions-devkit/src/build/command.ts'),
      run('vitest', 'run', '--config', '.config/vitest.config.ts', '--root', '.', 'lib/functions-devkit/test/agreement', 'test/schema.test.ts'),
    ])
    expect(types).toBe('')
    expect(build).toContain('api/hello ')
    expect(build).toContain('ops/rounds ')
    expect(build).not.toMatch(/over|may ask for|does not pass/)
    expect(tests).toMatch(/Test Files .*2 passed/)
    expect(tests).not.toMatch(/failed/)
  })
})
