import { request } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { addressOf, useNpmStart, type Server } from './support/npm-start.ts'
import { readForCheckout } from './support/tested-application.ts'

const npmStart = useNpmStart()
const { launch, launchAndWait, writeHealth } = npmStart

afterEach(() => {
  npmStart.restore('project.yml')
  npmStart.restoreHealth()
  npmStart.write('.env.local', '')
})

/** Replaces the health function's schedule by others. */
function schedule(...triggers: readonly { name: string; cron: string; enabled: boolean; body?: string }[]): void {
  const text = readForCheckout('project.yml').toString()
  const block = triggers.map(
    ({ name, cron, enabled, body = '{}' }) =>
      `          - { name: ${name}, type: SCHEDULED, enabled: ${enabled}, scheduledDetails: { cron: "${cron}", body: ${body} } }\n`,
  )
  const changed = text.replace(/( +triggers:\n) +- name: health-every-5-minutes\n(?: {12}.*\n)+/, (_, head: string) => head + block.join(''))
  expect(changed).not.toBe(text)
  npmStart.write('project.yml', changed)
}

/** fetch sets `host` itself, and some of these requests have another. */
function send(server: Server, method: string, path: string, headers: Record<string, string> = {}) {
  return new Promise<{ status: number; allow: string | undefined; body: Record<string, unknown> }>((resolve, reject) => {
    const sent = request(`${addressOf(server)}${path}`, { method, headers, agent: false }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, allow: response.headers.allow, body: JSON.parse(text) as Record<string, unknown> })
      })
    })
    sent.on('error', reject).end()
  })
}

/**
 * Sets a process's clock so that it starts at the 53rd second of a minute: a cron has minutes, and a test need not wait
 * for a whole one.
 */
const NEAR_THE_MINUTE = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(`
    const Real = Date
    const shift = 53_000 - Real.now() % 60_000
    globalThis.Date = class extends Real {
      constructor(...parts) { parts.length === 0 ? super(Real.now() + shift) : super(...parts) }
      static now() { return Real.now() + shift }
    }`)}`,
}

const tellsItsEvent = (ms: number) => `export const main = async (event: object) => {
  console.log('called with ' + JSON.stringify(event))
  await new Promise(resolve => setTimeout(resolve, ${ms}))
  return { minute: new Date().getUTCMinutes() }
}
`

describe('npm start', () => {
  test(
    'fires an enabled schedule by its cron with the deployed event, and lets the firing end when it is told to',
    { timeout: 100_000 },
    async () => {
      // Longer than the pools are given to close, shorter than calls are given to end.
      writeHealth(tellsItsEvent(1_800))
      schedule(
        { name: 'each-minute', cron: '* * * * *', enabled: true, body: '{ source: schedule, task: health }' },
        { name: 'never', cron: '* * * * *', enabled: false, body: '{ task: never }' },
      )
      const server = await launchAndWait({ environment: NEAR_THE_MINUTE })
      expect(server.output()).toMatch(
        /^Schedules \(UTC; POST to one fires it now\):\n.*\/__schedule\/each-minute {2}\* \* \* \* \* {2}api\/health\n/m,
      )
      expect(server.output()).toMatch(/\/__schedule\/never {2}\* \* \* \* \* {2}api\/health \(not enabled\)\n/)
      await server.shows('called with {"source":"schedule","task":"health"}')
      server.child.kill('SIGTERM')
      expect(await server.ends()).toEqual({ code: 0, signal: null })
      expect(server.output()).toMatch(/^Schedule each-minute: api\/health ended well after \d+ ms$/m)
      expect(server.output()).not.toContain('task":"never')
    },
  )

  test('with --no-schedules fires none by itself, and those it is asked to', { timeout: 100_000 }, async () => {
    writeHealth(tellsItsEvent(200))
    schedule({ name: 'each-minute', cron: '* * * * *', enabled: true })
    const server = await launchAndWait({ args: '--no-schedules', environment: NEAR_THE_MINUTE })
    expect(server.output()).toContain('Schedules (off: --no-schedules; POST to one fires it now):')
    const minutes: unknown[] = []
    while (new Set(minutes).size < 2) {
      const { status, body } = await send(server, 'POST', '/__schedule/each-minute')
      expect(status).toBe(200)
      minutes.push((body.result as { minute: number }).minute)
    }
    // The minute at which the cron would have fired is over.
    expect(server.output().match(/called with/g)).toHaveLength(minutes.length)
  })

  test('fires each schedule of project.yml when asked to, and answers with what the function did', async () => {
    const server = await launchAndWait()
    expect(await send(server, 'POST', '/__schedule/health-every-5-minutes')).toMatchObject({
      status: 200,
      body: { schedule: 'health-every-5-minutes', function: 'api/health', outcome: 'ok', result: { status: 'pass' } },
    })
    expect(await send(server, 'POST', '/__schedule/maintenance-every-minute')).toMatchObject({
      status: 200,
      body: { function: 'ops/maintenance', outcome: 'ok' },
    })
    expect(server.output()).toMatch(/^Schedule health-every-5-minutes: api\/health ended well after \d+ ms$/m)
  })

  test('answers 502 with the reason when the function fails', async () => {
    writeHealth("export const main = async () => ({ error: { code: 'broken' } })\n")
    const server = await launchAndWait()
    expect(await send(server, 'POST', '/__schedule/health-every-5-minutes')).toMatchObject({
      status: 502,
      body: { outcome: 'failed', error: { code: 'broken' } },
    })
    await server.shows(/^Schedule health-every-5-minutes: api\/health failed after \d+ ms: {"code":"broken"}$/m)
  })

  test('fires no schedule that does not exist, by no other method, and for nobody elsewhere', async () => {
    const server = await launchAndWait()
    const schedules = ['health-every-5-minutes', 'maintenance-every-minute']
    expect(await send(server, 'POST', '/__schedule/another')).toMatchObject({ status: 404, body: { schedules } })
    expect(await send(server, 'POST', '/__schedule')).toMatchObject({ status: 404, body: { schedules } })
    expect(await send(server, 'POST', '/__schedule/%zz')).toMatchObject({ status: 404, body: { schedules } })
    expect(await send(server, 'GET', `/__schedule/${schedules[0]}`)).toMatchObject({ status: 405, allow: 'POST' })
    expect(await send(server, 'POST', `/__schedule/${schedules[0]}`, { host: 'tunnel.example' })).toMatchObject({ status: 403 })
    expect(await send(server, 'POST', `/__schedule/${schedules[0]}`, { origin: 'https://page.example' })).toMatchObject({ status: 403 })
    expect(server.output()).not.toMatch(/^Schedule /m)
  })

  test.each(['--no-schedule', 'now'])('starts nothing and ends with 2 for %s', async args => {
    const server = launch({ args })
    expect(await server.ends()).toEqual({ code: 2, signal: null })
    expect(server.output()).toMatch(new RegExp(`'${args}'[^]*usage: npm start`))
    expect(npmStart.processes()).toEqual([])
  })

  test('names the bad settings of all functions at once, and does not announce itself', async () => {
    npmStart.write('.env.local', 'DB_POOL_MAX=many\nWEBHOOK_RETENTION_DAYS=-1\n')
    const server = launch()
    expect(await server.ends()).toEqual({ code: 1, signal: null })
    expect(server.output()).toMatch(
      /^Settings are not usable:\n {2}DB_POOL_MAX .* \(api\/webhook, api\/user, api\/health, ops\/maintenance\)\n {2}WEBHOOK_RETENTION_DAYS .* \(ops\/maintenance\)\n/m,
    )
    expect(server.output()).not.toContain('Running:')
  })
})
