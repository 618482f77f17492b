import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { processIdentity } from '../src/server/process-identity.ts'
import { readProject } from '../src/server/project.ts'
import { isRedisInstalled } from '../src/server/redis/local-redis.ts'
import { addressOf, READY, useNpmStart, type Server } from './support/npm-start.ts'
import { commandTo, paste } from './support/paste.ts'

const USER = 'packages/api/user/index.ts'
const stage = useNpmStart({ handsOn: true })
const { launch, launchAndWait, processes, nothingRuns } = stage

/** The URL that a client can keep. */
const databaseOf = ({ output }: Pick<Server, 'output'>) => /^Database: (postgres:\S+)/m.exec(output())?.[1]

/** Runs with another health function in the checkout. */
async function withHealth(code: string, run: () => Promise<void>): Promise<void> {
  stage.writeHealth(code)
  try {
    await run()
  } finally {
    stage.restoreHealth()
  }
}

describe('the commands that npm start prints', () => {
  test('work when pasted: applied, then a duplicate, 401 for a changed byte, and a user', async () => {
    const server = await launchAndWait()
    const webhook = commandTo('/webhook/demo', server)
    expect(await paste(webhook)).toMatchObject({ status: 200, body: { outcome: 'applied' } })
    expect(await paste(webhook)).toMatchObject({ status: 200, body: { outcome: 'duplicate' } })
    expect(await paste(webhook.replace('12.50', '12.51'))).toMatchObject({ status: 401 })
    expect(await paste(commandTo('/user', server))).toMatchObject({ status: 201, body: { name: 'Ada' } })

    // Its database is there for npm run migrate as well, which needs no setting for it; an emptied one is good to go on with.
    const migrate = (action: string) =>
      spawnSync(process.execPath, [join(stage.checkout, 'lib/functions-devkit/src/cli/migrate.ts'), action, '--local'], {
        cwd: stage.checkout,
        encoding: 'utf8',
        env: { PATH: process.env.PATH ?? '', LOCAL_DATA_FOLDER: stage.data },
      })
    expect(migrate('status')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^applied {2}/m) as unknown })
    expect(migrate('reset')).toMatchObject({ status: 0, stderr: '' })
    expect(await paste(webhook)).toMatchObject({ status: 200, body: { outcome: 'applied' } })
  })

  test('are fresh after Enter', async () => {
    const server = await launchAndWait()
    const [webhook, user] = [commandTo('/webhook/demo', server), commandTo('/user', server)]
    const shown = server.output().length
    server.child.stdin?.write('\n')
    await server.shows(READY, shown)
    expect(commandTo('/user', server)).not.toBe(user)
    await paste(webhook)
    expect(await paste(commandTo('/webhook/demo', server))).toMatchObject({ status: 200, body: { outcome: 'applied' } })
  })

  test('work after a restart with the same secrets, and the event is still a duplicate', async () => {
    const first = await launchAndWait()
    const webhook = commandTo('/webhook/demo', first)
    await paste(webhook)
    const secrets = readFileSync(join(stage.data, 'secrets.json'), 'utf8')
    expect(statSync(join(stage.data, 'secrets.json')).mode & 0o777).toBe(0o600)
    first.child.kill('SIGTERM')
    await first.ends()

    const second = await launchAndWait()
    expect(databaseOf(second)).toBe(databaseOf(first))
    expect(readFileSync(join(stage.data, 'secrets.json'), 'utf8')).toBe(secrets)
    expect(await paste(webhook.replace(addressOf(first), addressOf(second)))).toMatchObject({ status: 200, body: { outcome: 'duplicate' } })
  })
})

describe('npm start', () => {
  test('names the setting for another port when that of the database is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const server = launch({ environment: { LOCAL_DATABASE_PORT: String(port) } })
    expect(await server.ends()).toEqual({ code: 1, signal: null })
    expect(server.output()).toContain(
      `Port ${port}, where the local database listens, is taken by another program: choose one with LOCAL_DATABASE_PORT=… npm start\n`,
    )
    other.close()
  })

  test('starts Redis where it is installed, and none with --no-redis', async () => {
    const first = await launchAndWait()
    const redis = isRedisInstalled() ? /^Redis: redis:\/\/:\S+@127\.0\.0\.1:\d+$/m : /^Redis: not installed, .*apt-get install redis-server/m
    expect(first.output()).toMatch(redis)
    first.child.kill('SIGTERM')
    await first.ends()
    const second = await launchAndWait({ args: '--no-redis' })
    expect(second.output()).toContain('\nRedis: off (--no-redis)\n')
  })

  test('serves a function anew after its source has changed', async () => {
    const server = await launchAndWait()
    const health = async () => (await fetch(`${addressOf(server)}/health`)).status
    await withHealth("export const main = async () => ({ statusCode: 203, body: 'changed' })", async () => {
      while ((await health()) !== 203) await sleep(50)
      expect(server.output()).toMatch(/^rebuilt api\/health in \d+\.\d s$/m)
    })
    while ((await health()) !== 200) await sleep(50)
  })

  test('ends when nothing reads its output any more', async () => {
    const server = await launchAndWait()
    server.child.stdout?.destroy()
    server.child.stderr?.destroy()
    // Its log line is the first that cannot be written.
    await fetch(`${addressOf(server)}/health`).catch(() => undefined)
    expect(await server.ends()).toMatchObject({ code: 1 })
  })

  test('lets its key have a scope that a changed function asks for', async () => {
    const server = await launchAndWait()
    const code = 'export const main = async () => ({ statusCode: 203, body: process.env.API_KEYS })'
    stage.write(USER, `${code}\nmain.scopes = ['orders:read']\n`)
    try {
      let answer = await fetch(`${addressOf(server)}/user`)
      while (answer.status !== 203) {
        await sleep(50)
        answer = await fetch(`${addressOf(server)}/user`)
      }
      expect(await answer.text()).toMatch(/^local\/orders:read,users:read,users:write\/[0-9a-f]{64}$/)
    } finally {
      stage.restore(USER)
    }
  })

  test('runs calls at once in processes of their own, with the variables of project.yml alone', async () => {
    // Each call waits for the other.
    const code = `import { appendFileSync, readFileSync } from 'node:fs'
      export const main = async () => {
        const file = process.env.HOME + '/calls'
        appendFileSync(file, 'x')
        while (readFileSync(file).length < 2) await new Promise(resolve => setTimeout(resolve, 5))
        return { statusCode: 203, body: { pid: process.pid, names: Object.keys(process.env).sort() } }
      }`
    await withHealth(code, async () => {
      const server = await launchAndWait({ environment: { OF_THE_SHELL: 'yes' } })
      const call = async () => (await (await fetch(`${addressOf(server)}/health`)).json()) as { pid: number; names: string[] }
      const [one, two] = await Promise.all([call(), call()])
      expect(one.pid).not.toBe(two.pid)
      expect([one.pid, two.pid]).not.toContain(server.child.pid)
      const { environmentOf } = readProject({ text: readFileSync(join(stage.checkout, 'project.yml'), 'utf8'), local: {}, environment: {} })
      const own = one.names.filter(name => !name.startsWith('__OW_') && !['HOME', 'PATH'].includes(name))
      expect(own).toEqual(Object.keys(environmentOf('api/health')).sort())
    })
  })

  test('does not end when its input is closed', async () => {
    const server = await launchAndWait({ stdin: 'ignore' })
    expect((await fetch(`${addressOf(server)}/health`)).status).toBe(200)
  })

  test('keeps functions that are not public to itself', async () => {
    const server = await launchAndWait()
    expect((await fetch(`${addressOf(server)}/migrate`, { method: 'POST' })).status).toBe(404)
  })

  test('is refused while one runs on the same data, and leaves that one alone', async () => {
    const first = await launchAndWait()
    const second = launch()
    expect(await second.ends()).toEqual({ code: 1, signal: null })
    expect(second.output()).toContain(`npm start is already running on this checkout: process ${first.child.pid}, ${addressOf(first)}`)
    expect(await paste(commandTo('/webhook/demo', first))).toMatchObject({ status: 200 })
  })

  test('says so when the port is taken, and starts nothing', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const server = launch({ port: String(port) })
    expect(await server.ends()).toEqual({ code: 1, signal: null })
    expect(server.output()).toBe(`Port ${port} is taken by another program: choose one with PORT=… npm start\n`)
    expect(readdirSync(stage.data)).toEqual([])
    other.close()
  })
})

describe('the end of npm start', () => {
  const leavesNothing = async () => {
    await nothingRuns()
    expect(existsSync(join(stage.data, 'start.lock'))).toBe(false)
    expect(globSync(join(stage.data, 'postgres-*/postmaster.pid'))).toEqual([])
  }

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('at %s leaves no process and no lock', async signal => {
    const server = await launchAndWait()
    await paste(commandTo('/webhook/demo', server))
    expect(processes().length).toBeGreaterThan(0)
    server.child.kill(signal)
    expect(await server.ends()).toEqual({ code: 0, signal: null })
    await leavesNothing()
  })

  test('comes at once at the second signal, though a call hangs, and leaves nothing either', async () => {
    await withHealth("export const main = () => (console.log('the call has begun'), new Promise(() => {}))", async () => {
      const server = await launchAndWait()
      await paste(commandTo('/webhook/demo', server))
      const call = fetch(`${addressOf(server)}/health`).then(
        () => 'answered',
        () => 'cut off',
      )
      await server.shows('the call has begun')
      server.child.kill('SIGINT')
      await server.shows('Once more ends at once')
      server.child.kill('SIGINT')
      expect(await server.ends()).toEqual({ code: 130, signal: null })
      expect(await call).toBe('cut off')
    })
    await leavesNothing()
  })

  test('lets a call under way be answered', async () => {
    await withHealth(
      "export const main = () => (console.log('the call has begun'), new Promise(resolve => setTimeout(() => resolve({ body: 'late' }), 800)))",
      async () => {
        const server = await launchAndWait()
        const call = fetch(`${addressOf(server)}/health`).then(response => response.text())
        await server.shows('the call has begun')
        server.child.kill('SIGTERM')
        expect(await call).toBe('late')
        expect(await server.ends()).toEqual({ code: 0, signal: null })
      },
    )
    await leavesNothing()
  })

  test('is not held up by a call that hangs', async () => {
    await withHealth("export const main = () => (console.log('the call has begun'), new Promise(() => {}))", async () => {
      const server = await launchAndWait()
      const call = fetch(`${addressOf(server)}/health`).then(
        () => 'answered',
        () => 'cut off',
      )
      await server.shows('the call has begun')
      server.child.kill('SIGTERM')
      expect(await server.ends()).toEqual({ code: 0, signal: null })
      expect(await call).toBe('cut off')
    })
    await leavesNothing()
  })

  test('leaves nothing when the signal comes in the middle of the start', async () => {
    const server = launch()
    while (!existsSync(join(stage.data, 'secrets.json'))) await sleep(5)
    server.child.kill('SIGTERM')
    expect(await server.ends()).toEqual({ code: 0, signal: null })
    await leavesNothing()
  })

  test('by SIGKILL does not keep the next start from working', async () => {
    const first = await launchAndWait()
    await paste(commandTo('/webhook/demo', first))
    const left = () => readdirSync(join(stage.data, 'functions/running')).map(Number)
    const containers = left().map(pid => [pid, processIdentity(pid)] as const)
    expect(containers.length).toBeGreaterThan(1)
    first.child.kill('SIGKILL')
    await first.ends()
    const second = await launchAndWait()
    expect(second.output()).toMatch(/\d+ containers? of an earlier npm start ended/)
    for (const [pid, identity] of containers) expect(processIdentity(pid)).not.toBe(identity)
    expect(await paste(commandTo('/webhook/demo', second))).toMatchObject({ status: 200, body: { outcome: 'applied' } })
  })
})
