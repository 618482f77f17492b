import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findDoctl } from '../../src/cli/doctl/doctl.ts'
import { listSchedules, runSchedule, type SchedulesOptions } from '../../src/cli/schedules/schedules.ts'
import { copyCheckout, environmentOf, type Checkout } from '../support/checkout.ts'
import { createDoctl, type DoctlFaults } from '../support/doctl.ts'

// Calls of the function are seen in what it answers: its input.
const CODE = `exports.main = async input => {
  if (input.fail) { console.log(input.text ?? 'about to fail'); return { error: { code: 'failed-on-purpose' } } }
  return { input }
}`
const HEALTH = 'health-every-5-minutes'
const MAINTENANCE = 'maintenance-every-minute'

let checkout: Checkout
let code: string
let doctl: ReturnType<typeof createDoctl>
const outside = { ...process.env }

beforeAll(() => {
  checkout = copyCheckout(['lib', 'project.yml', 'package.json'])
  code = mkdtempSync(join(tmpdir(), 'code-'))
  mkdirSync(join(code, 'dist'))
  writeFileSync(join(code, 'dist/index.js'), CODE)
})
afterAll(() => {
  checkout.remove()
  rmSync(code, { recursive: true })
})
beforeEach(() => {
  doctl = createDoctl()
  Object.assign(process.env, doctl.environment)
  const functionOf = (name: string) => ({ version: '0.0.1', limits: { timeout: 3000 }, parameters: [], namespace: `fn-1/${name}`, name, code })
  const trigger = (name: string, invoked: string, cron: string, body: object) => ({
    name,
    function: invoked,
    type: 'SCHEDULED',
    is_enabled: true,
    scheduled_details: { cron, body },
  })
  doctl.write({
    functions: { 'api/health': functionOf('health'), 'ops/maintenance': functionOf('maintenance'), 'theirs/other': functionOf('other') },
    triggers: {
      [HEALTH]: trigger(HEALTH, 'api/health', '*/5 * * * *', { source: 'schedule', task: 'health' }),
      [MAINTENANCE]: trigger(MAINTENANCE, 'ops/maintenance', '* * * * *', { source: 'schedule', task: 'maintenance' }),
    },
  })
})
afterEach(() => {
  Object.assign(process.env, outside)
  doctl[Symbol.dispose]()
})

function schedules(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(checkout.folder, 'lib/functions-devkit/src/cli/schedules.ts'), ...words], {
    cwd: checkout.folder,
    encoding: 'utf8',
    env: environmentOf(checkout.folder),
  })
  return { status, stdout, stderr }
}
function change(name: string, part: object, details: object = {}) {
  const { functions, triggers } = doctl.read()
  const { scheduled_details: before, ...trigger } = triggers[name] ?? {}
  doctl.write({ functions, triggers: { ...triggers, [name]: { ...trigger, ...part, scheduled_details: { ...(before as object), ...details } } } })
}
const enabledOnPlatform = (name: string) => doctl.read().triggers[name]?.is_enabled

describe('npm run schedules', () => {
  it('lists every trigger of the namespace', () => {
    expect(schedules('list')).toEqual({
      status: 0,
      stdout: `on  ${HEALTH}    */5 * * * *  api/health\non  ${MAINTENANCE}  * * * * *    ops/maintenance\n`,
      stderr: '',
    })
  })

  it('lists what is missing, foreign or switched by hand', () => {
    schedules('disable', HEALTH)
    const { functions, triggers } = doctl.read()
    const { [MAINTENANCE]: _, ...others } = triggers
    doctl.write({ functions, triggers: { ...others, nightly: { ...triggers[MAINTENANCE], name: 'nightly', function: 'theirs/other' } } })
    const { status, stdout } = schedules('list')
    expect(status).toBe(1)
    expect(stdout).toMatch(/^off +health-every-5-minutes .* the next deploy enables it again: enabled: true in project\.yml$/m)
    expect(stdout).toMatch(/^on +nightly .* theirs\/other +not in project\.yml$/m)
    expect(stdout).toMatch(/^missing +maintenance-every-minute .* npm run deploy creates it$/m)
  })

  it.each<[string, object, object, string]>([
    ['another cron', {}, { cron: '0 0 * * *' }, 'cron'],
    ['another body', {}, { body: { source: 'schedule' } }, 'body'],
    ['no body', {}, { body: null }, 'body'],
    ['another function', { function: 'ops/maintenance' }, {}, 'function'],
    ['another function and cron', { function: 'ops/maintenance' }, { cron: '0 0 * * *' }, 'function and cron'],
  ])('lists how a trigger differs from project.yml: %s', (_what, part, details, named) => {
    change(HEALTH, part, details)
    const { status, stdout } = schedules('list')
    expect([status, stdout]).toEqual([1, expect.stringContaining(`  has another ${named} than project.yml: npm run deploy\n`)])
  })

  it('shows what the platform and a function wrote as one visible line', () => {
    change(MAINTENANCE, {}, { body: { fail: true, text: '\u001b[31m\nred\u202e' } })
    change(HEALTH, { name: 'a\u001b[2J\nb' })
    const { stdout } = schedules('list')
    expect(stdout).toContain('a\\u{1b}[2J\\u{a}b')
    expect(schedules('run', MAINTENANCE).stdout).toMatch(/^ {2}log: \\u\{1b\}\[31m\n {2}log: red\\u\{202e\}$/m)
  })

  it('lists none in an empty namespace', async () => {
    doctl.write({ functions: {}, triggers: {} })
    const lines: string[] = []
    const options: SchedulesOptions = { doctl: findDoctl(checkout.folder), checkout: checkout.folder, declared: [], print: line => lines.push(line) }
    expect([await listSchedules(options), lines]).toEqual([true, ['no schedules']])
  })

  it('disables and enables, and says what the next deploy does', () => {
    expect(schedules('disable', HEALTH)).toEqual({
      status: 0,
      stdout: `${HEALTH} disabled; the next deploy enables it again: enabled: true in project.yml\n`,
      stderr: '',
    })
    expect(enabledOnPlatform(HEALTH)).toBe(false)
    expect(schedules('enable', HEALTH)).toEqual({ status: 0, stdout: `${HEALTH} enabled\n`, stderr: '' })
    expect(enabledOnPlatform(HEALTH)).toBe(true)
  })

  it('says that the next deploy disables what project.yml disables', () => {
    const text = readFileSync(join(checkout.folder, 'project.yml'), 'utf8')
    checkout.write('project.yml', text.replace('enabled: true', 'enabled: false'))
    try {
      expect(schedules('enable', HEALTH).stdout).toBe(`${HEALTH} enabled; the next deploy disables it again: enabled: false in project.yml\n`)
    } finally {
      checkout.write('project.yml', text)
    }
  })

  it.each<[string, DoctlFaults]>([
    ['as usual', {}],
    ['with a doctl from a snap', { snap: true }],
    ['with a call that takes long', { slow: ['api/health'] }],
  ])('runs the function with the body of its trigger, %s', async (_what, faults) => {
    doctl.setFaults(faults)
    const lines: string[] = []
    const options = { doctl: findDoctl(checkout.folder), checkout: checkout.folder, declared: [], print: (line: string) => lines.push(line) }
    change(HEALTH, {}, { body: { source: 'schedule', nested: { a: [1, 'b,c'] } } })
    expect(await runSchedule(HEALTH, { ...options, sleep: async () => undefined })).toBe(true)
    expect(JSON.parse(lines.join('\n'))).toEqual({ input: { source: 'schedule', nested: { a: [1, 'b,c'] } } })
    expect(readdirSync(join(checkout.folder, '.deployed'))).toEqual([])
  })

  it('runs a disabled one', () => {
    schedules('disable', HEALTH)
    expect(schedules('run', HEALTH).status).toBe(0)
  })

  it('shows the error and the log of a run that fails', () => {
    change(MAINTENANCE, {}, { body: { fail: true } })
    expect(schedules('run', MAINTENANCE)).toEqual({
      status: 1,
      stdout: 'ops/maintenance failed: { "code": "failed-on-purpose" }\n  log: about to fail\n',
      stderr: '',
    })
  })

  it.each<[string, DoctlFaults, string[], RegExp]>([
    ['an unknown schedule', {}, ['run', 'nothing'], /triggers get nothing .*404 .*not found/],
    ['a token that may not', { triggersUnreadable: true, outputJson: true }, ['list'], /403 .*not authorized/],
    ['no connection', { notConnected: true }, ['list'], /not connected .*--access-key/],
  ])('ends with 1 and a reason for %s', (_what, faults, words, reason) => {
    doctl.setFaults(faults)
    expect(schedules(...words)).toEqual({ status: 1, stdout: '', stderr: expect.stringMatching(reason) as unknown })
  })

  it('ends with 2 and the usage for anything else', () => {
    for (const words of [[], ['list', 'all'], ['run'], ['stop', HEALTH], ['run', HEALTH, 'now'], ['disable', '--all']])
      expect(schedules(...words)).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(/^usage: npm run schedules/m) as unknown })
  })
})
