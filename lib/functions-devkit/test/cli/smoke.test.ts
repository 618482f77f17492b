import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { join } from 'node:path'
import pg from 'pg'
import { expect, test } from 'vitest'
import { checklist } from '../../src/cli/smoke/checklist.ts'
import { runChecks } from '../../src/cli/smoke/run.ts'
import { localHealthKey } from '../../src/server/local-health-key.ts'
import { keepSecrets } from '../../src/server/secrets.ts'
import { addressOf, useNpmStart, type Server } from '../support/npm-start.ts'

const npmStart = useNpmStart()

interface Exchange {
  readonly method: string
  readonly path: string
  status: number
  headers: Record<string, string>
  body: string
  /** How many requests of the same method and path came before. */
  readonly before: number
  /** Whether it came with a key. */
  readonly authorized: boolean
}

/** A deployment that is well but for what `alter` makes of its answers. */
async function behind(server: Server, alter: (exchange: Exchange) => void, work: (url: string) => Promise<void>): Promise<void> {
  const seen = new Map<string, number>()
  const proxy = createServer((request, response) => {
    const answer = async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const { method = '', url: path = '' } = request
      const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !['host', 'connection', 'content-length'].includes(name)))
      const sent = await fetch(`${addressOf(server)}${path}`, {
        method,
        headers: headers as Record<string, string>,
        ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
      })
      const kind = `${method} ${path}`
      const before = seen.get(kind) ?? 0
      seen.set(kind, before + 1)
      const type = sent.headers.get('content-type') ?? 'text/plain'
      const authorized = request.headers.authorization !== undefined
      const exchange: Exchange = { method, path, status: sent.status, headers: { 'content-type': type }, body: await sent.text(), before, authorized }
      alter(exchange)
      response.writeHead(exchange.status, exchange.headers).end(exchange.body)
    }
    answer().catch(() => response.destroy())
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  try {
    await work(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`)
  } finally {
    proxy.closeAllConnections()
    proxy.close()
  }
}

/** Runs the command as `npm run smoke` does; `enter` presses Enter after whatever stands before it. */
async function smoke(args: readonly string[], { data, enter = () => Promise.resolve() }: { data: string; enter?: (asked: string) => Promise<void> }) {
  const child = spawn('node', ['lib/functions-devkit/src/cli/smoke.ts', ...args], {
    cwd: npmStart.checkout,
    env: { PATH: `${join(npmStart.checkout, 'node_modules/.bin')}:${process.env.PATH}`, LOCAL_DATA_FOLDER: data },
    stdio: 'pipe',
  })
  let output = ''
  let asked = 0
  const listen = (text: string) => {
    output += text
    const questions = output.split('Then press Enter.').slice(0, -1)
    for (const question of questions.slice(asked)) void enter(question.trim().split('\n').at(-1) ?? '').then(() => child.stdin.write('\n'))
    asked = questions.length
  }
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', listen)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}

/** The processes of the local database: the postmaster first, so that it begins no new ones. */
function postgresOf(data: string): number[] {
  const [file] = globSync(join(data, 'postgres-*/postmaster.pid'))
  const postmaster = Number.parseInt(readFileSync(file ?? '', 'utf8'), 10)
  const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8').trim().split(' ').map(Number)
  return [postmaster, ...children]
}

async function rowsOf(server: Server, statement: string): Promise<unknown[]> {
  const connectionString = /postgres:\/\/\S+/.exec(server.output())?.[0]
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    return (await client.query<object>(statement)).rows
  } finally {
    await client.end()
  }
}

const edit = (exchange: Exchange, changes: Record<string, unknown>) => {
  exchange.body = JSON.stringify({ ...(JSON.parse(exchange.body) as object), ...changes })
}
const isUser = ({ path }: Exchange) => path.startsWith('/user/')

/** By the check that has to notice: what is wrong with the deployment, and what the check says. */
const WRONG: [check: string, alter: (exchange: Exchange) => void, detail: RegExp, outcome?: 'warn'][] = [
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

  const { webhookSecret, apiKey } = keepSecrets(npmStart.data)
  expect(output).not.toContain(apiKey)
  for (const [index, [name, alter, detail, outcome = 'fail']] of WRONG.entries()) {
    await behind(server, alter, async url => {
      const target = { url, webhookSecret, apiKey, healthKey: localHealthKey(webhookSecret) }
      const results = await runChecks(checklist(target, `wrong-${index}`), () => undefined)
      expect(results.filter(result => result.outcome !== 'ok')).toEqual([{ name, outcome, detail: expect.stringMatching(detail) as string }])
    })
  }
})

test('npm run smoke -- --outage follows webhooks through an outage that a person makes', { timeout: 120_000 }, async () => {
  const server = await npmStart.launchAndWait()
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
