import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { keepSecrets } from '../../src/server/secrets.ts'
import { useNpmStart } from '../support/npm-start.ts'
import { edit, expectNoticed, rowsOf, smokeFrom, type Exchange, type SmokeOptions, type Wrong } from '../support/smoke.ts'

const npmStart = useNpmStart()
const smoke = (args: readonly string[], options: SmokeOptions) => smokeFrom(npmStart.checkout, args, options)

/** The processes of the local database: the postmaster first, so that it begins no new ones. */
function postgresOf(data: string): number[] {
  const [file] = globSync(join(data, 'postgres-*/postmaster.pid'))
  const postmaster = Number.parseInt(readFileSync(file ?? '', 'utf8'), 10)
  const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8').trim().split(' ').map(Number)
  return [postmaster, ...children]
}

const isUser = ({ path }: Exchange) => path.startsWith('/user/')

const WRONG: readonly Wrong[] = [
  ['alive', one => void (one.path === '/health' && (one.status = 502)), /answered 502 .*instead of 200/],
  ['ready', one => void (one.path === '/health/ready' && (one.status = 503)), /answered 503 .*instead of 200/],
  ['ready', one => one.path === '/health/ready' && edit(one, { status: 'warn' }), /^GET \/health\/ready: warn/, 'warn'],
  ['signed event', one => void (one.path === '/webhook/demo' && one.before === 0 && (one.status = 202)), /answered 202 .*instead of 200/],
  [
    'its duplicate',
    one => one.path === '/webhook/demo' && one.before === 1 && edit(one, { outcome: 'applied' }),
    /outcome "applied" instead of "duplicate"/,
  ],
  ['forged event', one => void (one.path === '/webhook/demo' && one.before === 2 && (one.status = 200)), /answered 200 .*instead of 401/],
  [
    'user read',
    one => isUser(one) && one.method === 'GET' && one.before === 0 && edit(one, { email: 'b@example.com' }),
    /with email "b@example.com"/,
  ],
  ['user without a key', one => void (isUser(one) && !one.authorized && (one.status = 200)), /answered 200 .*instead of 401/],
  ['user deleted', one => void (isUser(one) && one.method === 'GET' && one.before === 2 && (one.status = 200)), /answered 200 .*instead of 404/],
  [
    'user deleted',
    one => isUser(one) && one.method === 'GET' && one.before === 2 && edit(one, { code: 'gone' }),
    /^answered 404 with the code gone$/,
  ],
  ['metrics', one => void (one.path === '/health/metrics' && (one.body = '')), /without any metric/],
  [
    'metrics',
    one => void (one.path === '/health/metrics' && (one.body = one.body.replace('functions_database_up 1', 'functions_database_up 0'))),
    /the scrape did not see the database/,
  ],
]

test('npm run smoke passes a server that is well, leaves one event, and names what is not well', async () => {
  const server = await npmStart.launchAndWait()
  const { code, output } = await smoke([], { data: npmStart.data })
  expect({ code, output }).toEqual({
    code: 0,
    output: expect.stringMatching(/^http:.*\n\nok {4}alive [^]*\nok {4}metrics .*\n\nAll is well\.\n$/) as string,
  })
  expect(await rowsOf(server, 'SELECT type, outcome FROM webhook_events')).toEqual([{ type: 'smoke.ping', outcome: 'applied' }])
  expect(await rowsOf(server, 'SELECT email FROM users')).toEqual([])

  expect(output).not.toContain(keepSecrets(npmStart.data).apiKey)
  await expectNoticed(server, npmStart.data, WRONG)
})

test('npm run smoke -- --outage follows webhooks through an outage that a person makes', { timeout: 120_000 }, async () => {
  const server = await npmStart.launchAndWait({ args: '--no-redis' })
  // Sessions come and go.
  const tell = (signal: NodeJS.Signals) => {
    for (const pid of postgresOf(npmStart.data)) spawnSync('kill', [`-${signal}`, String(pid)])
  }
  try {
    const enter = async (asked: string) => tell(asked.startsWith('Take the database away') ? 'SIGSTOP' : 'SIGCONT')
    const { code, output } = await smoke(['--outage'], { data: npmStart.data, enter })
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('All is well.') as string })
    expect(output).toMatch(/^ok {4}events meanwhile +0 buffered \(202\), 3 to be sent again \(503 with Retry-After\)$/m)
    expect(output).toMatch(/^ok {4}none lost +3 of 3 applied$/m)
    expect(output).toMatch(/^ok {4}none twice +3 of 3 are duplicates now$/m)
    expect(await rowsOf(server, 'SELECT count(*)::int AS events FROM webhook_events')).toEqual([{ events: 4 }])
  } finally {
    tell('SIGCONT')
  }
})

test('npm run smoke without a server, a key or a sensible URL says what is missing and ends with 2', async () => {
  const attempts = await Promise.all(
    [[], ['http://127.0.0.1:9'], ['ftp://a'], ['http://u:p@a'], ['https://a', 'https://b'], ['--no'], ['http://functions.example']].map(args =>
      smoke(args, { data: npmStart.data }),
    ),
  )
  expect(attempts.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2, 2, 2])
  const [none, bare, ...usage] = attempts.map(({ output }) => output)
  expect(none).toContain('npm start')
  expect(bare).toMatch(/WEBHOOK_SECRET_DEMO .*SMOKE_API_KEY/)
  for (const output of usage) expect(output).toContain('usage: npm run smoke')
})
