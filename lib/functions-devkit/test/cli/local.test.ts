import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { globSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { recordedPid } from '../../src/server/postgres/leftover.ts'
import { useNpmStart } from '../support/npm-start.ts'
import { hasRedis } from '../support/redis.ts'

const npmStart = useNpmStart()
/** The outage buffer of npm start, with nothing in it. */
const BUFFER: unknown = hasRedis() ? expect.objectContaining({ waiting: 0, parked: 0 }) : null

afterEach(() => {
  for (const file of ['.env', '.env.local']) npmStart.write(file, '')
})

interface Shell {
  readonly environment?: Readonly<Record<string, string>>
}

/** Runs a command through the launcher beside a .env that belongs to a deployment. */
function run(...words: string[]) {
  return runIn({}, ...words)
}

function runIn({ environment = {} }: Shell, ...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['lib/functions-devkit/bin/functions-devkit.mjs', ...words], {
    cwd: npmStart.checkout,
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? '', LOCAL_DATA_FOLDER: npmStart.data, ...environment },
  })
  return { status, stdout, stderr }
}

/** The only document on standard output, with nothing else beside it. */
function json(shell: Shell, ...words: string[]): unknown {
  const { status, stdout, stderr } = runIn(shell, ...words, '--json')
  expect({ words, status, stderr }).toEqual({ words, status: 0, stderr: '' })
  return JSON.parse(stdout)
}

test('commands with --local work on the running npm start, as tables and as JSON', async () => {
  await npmStart.launchAndWait()
  npmStart.write('.env', 'DB_CONNECTION_URL=mysql://elsewhere/db\nDB_MIGRATION_URL=mysql://elsewhere/db\nSMOKE_API_KEY=elsewhere\n')

  expect(run('send', 'demo', 'smoke.ping', '--local', '--duplicate').stdout).toMatch(
    /^200 applied {2}evt_\w+ {2}\{.*\}\n200 duplicate {2}evt_\w+ {2}\{.*\}\n$/,
  )
  expect(json({}, 'send', 'demo', 'no.such.type', '--expect', 'ignored')).toMatchObject({
    asExpected: true,
    answers: [{ status: 200, outcome: 'ignored', body: { outcome: 'ignored' } }],
  })
  expect(run('send', 'demo', 'smoke.ping', '--expect', 'ignored').status).toBe(1)
  expect(json({}, 'send', 'github', 'smoke.ping', '--data', '{"a":1}', '--times', '2', '--expect', 'applied')).toMatchObject({ asExpected: true })

  expect(json({}, 'webhooks', 'list', '--local')).toEqual({ events: [], buffer: BUFFER })
  expect(run('webhooks', 'list', '--local', '--pending')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^No event\n/) as unknown })

  expect(json({}, 'migrate', 'status', '--local')).toMatchObject({ migrations: expect.arrayContaining([expect.anything()]) as unknown, unknown: [] })
  expect(run('migrate', 'status', '--local').stdout).toMatch(/^state +migration +applied +note\napplied /)
  expect(json({}, 'migrate', 'up', '--local')).toMatchObject({ applied: [] })

  expect(json({}, 'smoke', '--local')).toMatchObject({
    failed: 0,
    checks: expect.arrayContaining([expect.objectContaining({ outcome: 'ok' })]) as unknown,
  })
  expect(run('smoke', '--local').stdout).toContain('All is well.')
})

test.each([['send', 'demo', 'smoke.ping'], ['webhooks', 'list'], ['migrate', 'status'], ['smoke']])(
  '%s --local names npm start when none is running',
  (...words) => {
    const { status, stdout, stderr } = run(...words, '--local')
    expect(status).not.toBe(0)
    expect({ stdout, stderr }).toEqual({ stdout: '', stderr: 'No local server is running on this checkout: npm start starts one\n' })
  },
)

const CROWDED = { DB_SCHEMA: 'of_the_shell', PAYLOAD_KEY: 'of the shell', REDIS_URL: 'redis://of-the-shell:1', DB_POOL_MAX: 'of the shell' }

test('commands with --local take the settings of npm start, and nothing of the shell', async () => {
  npmStart.write('.env.local', `DB_SCHEMA=mine\nPAYLOAD_KEY=${randomBytes(32).toString('base64')}\n`)
  await npmStart.launchAndWait({ args: '--no-schedules' })
  expect(run('send', 'demo', 'transaction.completed', '--data', '{"id":"of-mine"}', '--expect', 'failed').status).toBe(0)

  const options = { environment: CROWDED }
  const { events, buffer } = json(options, 'webhooks', 'list', '--local') as { events: { id: string }[]; buffer: unknown }
  expect(events).toHaveLength(1)
  expect(buffer).toEqual(BUFFER)
  const { event } = json(options, 'webhooks', 'show', events[0]?.id ?? '', '--body', '--local') as { event: { body: string } }
  expect(event.body).toContain('of-mine')
  expect(json(options, 'webhooks', 'retry', 'buffer', '--local')).toEqual({ retried: 0 })
  expect(run('migrate', 'status', '--local').status).toBe(0)
})

test('commands with --local name the local database that does not answer', { timeout: 180_000 }, async () => {
  const server = await npmStart.launchAndWait({ args: '--no-schedules --no-redis' })
  const port = /^Database: \S+@127\.0\.0\.1:(\d+)\//m.exec(server.output())?.[1]
  const [file = ''] = globSync(join(npmStart.data, 'postgres-*/global/pg_control'))
  renameSync(file, `${file}.aside`)
  process.kill(recordedPid(join(file, '../..')) ?? 0, 'SIGKILL')
  await server.shows(/^PostgreSQL does not start again: /m)

  const reason = `The local database does not answer (connect ECONNREFUSED 127.0.0.1:${port}): the terminal of npm start says why`
  expect(run('webhooks', 'list', '--local')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining(`database-unavailable: ${reason}`) as unknown,
  })
  expect(run('migrate', 'status', '--local')).toEqual({ status: 1, stdout: '', stderr: `${reason}\n` })
})

test.each([
  [['lst'], 'There is no webhooks lst'],
  [['list', '--limit', 'abc'], '--limit takes a whole number from 1 to 500: abc'],
  [['list', '--limit', '501'], '--limit takes a whole number from 1 to 500: 501'],
  [['list', 'one'], 'list takes no id: one'],
  [['show', '5'], 'show takes the id of an event, as list shows it: 5'],
  [['retry'], 'retry takes the id of an event, as list shows it, all or buffer'],
  [['park', 'all'], 'park takes the id of an event, as list shows it: all'],
  [['park', '--body'], '--body belongs to show'],
  [['retry', 'all', '--pending'], '--pending belongs to list'],
  [['retry', 'all', '--limit', '5'], '--limit belongs to list'],
])('webhooks says what is wrong with %j', (words, reason) => {
  const { status, stdout, stderr } = run('webhooks', ...words)
  expect({ status, stdout, lines: stderr.split('\n').slice(0, 2) }).toEqual({
    status: 2,
    stdout: '',
    lines: [reason, expect.stringMatching(/^usage: npm run webhooks/) as unknown],
  })
})

test.each(['send', 'migrate', 'webhooks'])('the first lines of %s --help name --local and --json', name => {
  const calls = run(name, '--help').stdout.split('\n\n')[0] ?? ''
  expect(calls).toMatch(/\[--local\][^]*\[--json\]|\[--json\][^]*\[--local\]/)
})
