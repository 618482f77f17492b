import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { builtApplication } from '../support/built-application.ts'
import { copyCheckout } from '../support/checkout.ts'
import { withDatabase } from '../support/database.ts'
import { apiKey, keySetting, webhookSecret } from '../support/functions.ts'
import { hostEnvironment, launchHost, withHost } from '../support/host/host-process.ts'
import { mixedRequest, sendTo } from '../support/host/load.ts'

const HAS_SCRIPT = spawnSync('script', ['--version']).status === 0
const NOWHERE = {
  DB_CONNECTION_URL: 'postgres://nobody:none@127.0.0.1:1/none',
  WEBHOOK_SECRET_DEMO: webhookSecret,
  API_KEYS: keySetting(apiKey),
}

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'host-'))))
afterEach(() => rmSync(folder, { recursive: true }))

const linesOf = (path: string) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line) as Record<string, unknown>)

describe('npm run serve', () => {
  test('serves 200 calls at once, each its own, on no more connections than it was given', async () => {
    await withDatabase(async database => {
      await withHost(
        database,
        async host => {
          const requests = Array.from({ length: 200 }, (_, index) => mixedRequest(index))
          let most = 0
          let watching = true
          const watch = (async () => {
            while (watching) {
              const [row] = await database.query<{ count: number }>(
                "SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND application_name <> 'test'",
              )
              most = Math.max(most, row?.count ?? 0)
              await sleep(10)
            }
          })()
          const fates = await Promise.all(requests.map(request => sendTo(host.port, request)))
          watching = false
          await watch
          expect(fates.map(met => (met.fate === 'answered' ? met.status : met))).toEqual(requests.map(() => 200))
          // Each answer is that of its own request.
          for (const [index, met] of fates.entries()) {
            const { kind } = mixedRequest(index)
            const body = JSON.parse(met.fate === 'answered' ? met.body : '{}') as Record<string, unknown>
            expect(body).toMatchObject(kind === 'webhook' ? { outcome: 'applied' } : kind === 'user' ? { items: [] } : { status: 'pass' })
          }
          const [count] = await database.query<{ events: number; transactions: number }>(
            'SELECT (SELECT count(*)::int FROM webhook_events) AS events, (SELECT count(*)::int FROM transactions) AS transactions',
          )
          expect(count).toEqual({ events: 67, transactions: 67 })
          expect(most).toBeGreaterThan(2)
          expect(most).toBeLessThanOrEqual(12)
        },
        { variables: { DB_POOL_MAX: '12' } },
      )
    })
  })

  test('tells the pools of all of its functions, and who is asked for them needs the key', async () => {
    await withDatabase(async database => {
      await withHost(
        database,
        async host => {
          for (let index = 0; index < 3; index += 1) expect(await sendTo(host.port, mixedRequest(index))).toMatchObject({ status: 200 })
          const ask = (headers: Record<string, string>) => sendTo(host.port, { ...mixedRequest(2), path: '/health/metrics', headers })
          expect(await ask({})).toMatchObject({ status: 401 })
          const met = await ask({ authorization: 'Bearer health-key-of-the-test' })
          const lines = met.fate === 'answered' ? met.body.split('\n') : []
          const limits = lines.filter(line => line.startsWith('functions_pool_connections_limit{')).sort()
          expect(limits).toEqual([
            'functions_pool_connections_limit{function="api/health"} 2',
            'functions_pool_connections_limit{function="api/user"} 10',
            'functions_pool_connections_limit{function="api/webhook"} 11',
          ])
          expect(lines).toContain('functions_pool_connections{function="api/webhook",state="idle"} 1')
        },
        { variables: { HEALTH_KEY: 'health-key-of-the-test' } },
      )
    })
  })

  test('keeps functions that are not public to itself, and fires no schedule by request', async () => {
    await withHost(
      undefined,
      async host => {
        for (const path of ['/migrate', '/maintenance', '/__schedule/maintenance-every-minute', '/ops/migrate', '/']) {
          expect(await sendTo(host.port, { ...mixedRequest(2), method: 'POST', path })).toMatchObject({ fate: 'answered', status: 404 })
        }
      },
      { variables: NOWHERE },
    )
  })

  test('begins, answers and ends also while the database cannot be reached', async () => {
    await withHost(
      undefined,
      async host => {
        expect(await sendTo(host.port, mixedRequest(2))).toMatchObject({ status: 200 })
        host.kill('SIGTERM')
        expect(await host.ends()).toEqual({ code: 0, signal: null })
      },
      { variables: NOWHERE },
    )
  })

  test('names every setting that is not usable, of the functions and its own, and does not begin', async () => {
    const own = await launchHost(undefined, { variables: { PORT: 'eighty', SCHEDULES: 'perhaps' } })
    expect(await own.ends()).toEqual({ code: 1, signal: null })
    expect(own.output()).toBe('Settings are not usable:\n  PORT is no whole number from 0 to 65535\n  SCHEDULES is none of on, off\n')
    const functions = await launchHost(undefined, { variables: { ...NOWHERE, DB_POOL_IDLE_MS: 'long' } })
    expect(await functions.ends()).toEqual({ code: 1, signal: null })
    expect(functions.output()).toMatch(/DB_POOL_IDLE_MS is no whole number .*\(api\/webhook, api\/user, api\/health, ops\/maintenance\)/)
    const shared = await launchHost(undefined, { variables: { ...NOWHERE, DB_POOL_MAX: '2' } })
    expect(await shared.ends()).toEqual({ code: 1, signal: null })
    expect(shared.output()).toContain('DB_POOL_MAX is 2, but 4 functions share it')
  })

  test('says what to do when the functions are not built, and builds nothing itself', async () => {
    const checkout = copyCheckout(['build.sh', 'lib', 'package.json', 'packages', 'project.yml'])
    try {
      const host = await launchHost(undefined, { variables: NOWHERE, checkout: checkout.folder })
      expect(await host.ends()).toEqual({ code: 1, signal: null })
      expect(host.output()).toContain('Not built: api/webhook, api/user, api/health, ops/migrate, ops/maintenance. Run npm run build first')
      expect(existsSync(join(checkout.folder, 'packages/api/user/dist'))).toBe(false)
    } finally {
      checkout.remove()
    }
  })

  test('ends in order, and leaves nothing behind, when it is told to while it begins', async () => {
    const host = await launchHost(undefined, { variables: { ...NOWHERE, TMPDIR: folder } })
    while (readdirSync(folder).length === 0 && host.child.exitCode === null) await sleep(1)
    host.kill('SIGTERM')
    expect(await host.ends()).toEqual({ code: 0, signal: null })
    expect(readdirSync(folder)).toEqual([])
  })

  test('leaves no copy of the bundles behind', async () => {
    const variables = { ...NOWHERE, TMPDIR: folder }
    await withHost(undefined, async () => expect(execFileSync('ls', [folder], { encoding: 'utf8' })).toMatch(/^functions-\w+\n$/), { variables })
    expect(execFileSync('ls', [folder], { encoding: 'utf8' })).toBe('')
  })
})

describe('LOG_FILE', () => {
  test('has the lines of standard output, in a folder that was made, and goes on in a new file after a rotation', async () => {
    const path = join(folder, 'logs', 'app.log')
    let all: Record<string, unknown>[] = []
    await withDatabase(async database => {
      await withHost(
        database,
        async host => {
          expect(await sendTo(host.port, mixedRequest(0))).toMatchObject({ status: 200 })
          await host.logs(({ event }) => event === 'schedule.fired')
          while (linesOf(path).length < host.lines().length) await sleep(5)
          renameSync(path, `${path}.1`)
          host.kill('SIGHUP')
          await host.logs(({ event }) => event === 'log.file.reopened')
          expect(await sendTo(host.port, mixedRequest(2))).toMatchObject({ status: 200 })
          host.kill('SIGTERM')
          expect(await host.ends()).toEqual({ code: 0, signal: null })
          all = host.lines()
        },
        { variables: { LOG_FILE: path } },
      )
    })
    expect(linesOf(path).length).toBeGreaterThan(2)
    expect([...linesOf(`${path}.1`), ...linesOf(path)]).toEqual(all)
    expect(new Set(all.map(({ function: name }) => name))).toEqual(new Set(['host', 'api/webhook', 'api/health']))
    expect(statSync(path).mode & 0o777).toBe(0o640)
  })

  test('can be followed: tail -f logs/app.log | grep "Database connection" shows the life of the connection', async () => {
    const path = join(folder, 'app.log')
    await withDatabase(async database => {
      await withHost(
        database,
        async host => {
          const follower = spawn('/bin/sh', ['-c', `tail -n +1 -f "${path}" | grep --line-buffered "Database connection"`], { detached: true })
          try {
            const shown = once(follower.stdout, 'data') as Promise<[Buffer]>
            await sendTo(host.port, mixedRequest(0))
            expect((await shown)[0].toString()).toMatch(/^\{"level":"info",.*"msg":"Database connection established"\}/)
          } finally {
            process.kill(-(follower.pid ?? 0), 'SIGTERM')
          }
        },
        { variables: { LOG_FILE: path } },
      )
    })
  })

  test('on a full disk costs no answer and does not keep the process from ending', async () => {
    await withHost(
      undefined,
      async host => {
        for (let count = 0; count < 20; count += 1) expect(await sendTo(host.port, mixedRequest(2))).toMatchObject({ status: 200 })
        expect(await host.logs(({ event }) => event === 'log.file.failing')).toMatchObject({ code: 'ENOSPC' })
        host.kill('SIGTERM')
        expect(await host.ends()).toEqual({ code: 0, signal: null })
      },
      { variables: { ...NOWHERE, LOG_FILE: '/dev/full' } },
    )
  })
})

test.skipIf(!HAS_SCRIPT)('on a terminal its log can be read, and the file still holds JSON', async () => {
  const path = join(folder, 'app.log')
  // `script` is a terminal for the program that it runs.
  const child = spawn('script', ['-qefc', 'exec node lib/functions-devkit/src/server/serve.ts', '/dev/null'], {
    cwd: await builtApplication(),
    env: hostEnvironment(undefined, { ...NOWHERE, LOG_FILE: path, TERM: 'xterm' }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let shown = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text))
  const ended = once(child, 'exit')
  while (!shown.includes('host.started')) await sleep(10)
  const pid = Number(execFileSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' }))
  process.kill(pid, 'SIGTERM')
  await ended
  expect(stripVTControlCharacters(shown)).toMatch(/^\[[\d:.]+\] INFO: host host\.started \{"address":"http:\/\/0\.0\.0\.0:\d+",/m)
  expect(shown).not.toContain('{"level"')
  expect(linesOf(path).map(({ event }) => event)).toContain('host.started')
})
