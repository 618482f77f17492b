import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDoctl } from './doctl.ts'

// One test for each call of which is known what the real doctl prints. Its errors go to standard error as text, or with
// `--output json` to standard output as JSON.

const MAIN = {
  done: 'exports.main = async () => ({ done: true })',
  answersError: "exports.main = async () => ({ error: { code: 'migration-failed' } })",
  throws: "exports.main = async () => { throw new Error('thrown') }",
  crashes: "exports.main = async () => { console.error('Error: crashed'); process.exit(3) }",
} as const

const UNKNOWN_ID = '0'.repeat(32)
let folder: string
let doctl: ReturnType<typeof createDoctl>

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rows-'))
  doctl = createDoctl()
  for (const [name, source] of Object.entries(MAIN)) {
    mkdirSync(join(folder, 'packages/app', name), { recursive: true })
    mkdirSync(join(folder, 'packages/app', name, 'dist'))
    writeFileSync(join(folder, 'packages/app', name, 'dist/index.js'), source)
    writeFileSync(join(folder, 'packages/app', name, '.include'), 'dist/index.js\n')
  }
  const block = (name: string) => ({
    name,
    runtime: 'nodejs:24',
    web: false,
    environment: { OWN: 'own' },
    triggers: name === 'done' ? [{ name: 'often', type: 'SCHEDULED', scheduledDetails: { cron: '* * * * *', body: { a: 1 } } }] : [],
  })
  const packages = [{ name: 'app', environment: { SHARED: 'shared', OWN: 'shared' }, functions: Object.keys(MAIN).map(block) }]
  writeFileSync(join(folder, 'project.yml'), JSON.stringify({ packages }))
  writeFileSync(join(folder, '.env'), '')
})
afterEach(() => {
  doctl[Symbol.dispose]()
  rmSync(folder, { recursive: true })
})

function run(line: string, environment: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync('doctl', ['serverless', ...line.split(' ')], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, ...doctl.environment, ...environment },
  })
  return { status, stdout, stderr }
}
const deployed = () => expect(run('deploy . --env .env')).toMatchObject({ status: 0, stderr: '' })
const started = (name: string) => (JSON.parse(run(`functions invoke ${name} --no-wait`).stdout) as { activationId: string }).activationId
const ERROR = expect.stringMatching(/^Error: .+\n$/) as unknown

describe('functions invoke', () => {
  beforeEach(deployed)

  it('prints the bare result of a success', () => {
    const { status, stdout, stderr } = run('functions invoke app/done')
    expect([status, JSON.parse(stdout), stderr]).toEqual([0, { done: true }, ''])
  })

  it.each(['answersError', 'throws', 'crashes'])('ends with 0 and <nil> when the function %s', name => {
    const { status, stdout, stderr } = run(`functions invoke app/${name}`)
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^Request accepted, but processing not completed yet\.[^]*doctl sls activations result +<nil>/)
  })

  it('ends with 0 and <nil> when the function times out', () => {
    doctl.setFaults({ timesOut: ['app/done'] })
    expect(run('functions invoke app/done')).toMatchObject({ status: 0, stdout: expect.stringContaining('<nil>') as unknown, stderr: '' })
  })

  it('prints the same text with an id after 30 s', () => {
    doctl.setFaults({ slow: ['app/done'] })
    const { status, stdout, stderr } = run('functions invoke app/done')
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^Request accepted, but processing not completed yet\.[^]*doctl sls activations result +[0-9a-f]{32}/)
  })

  it('prints the id alone with --no-wait', () => {
    const { status, stdout, stderr } = run('functions invoke app/throws --no-wait')
    expect([status, JSON.parse(stdout), stderr]).toEqual([0, { activationId: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown }, ''])
  })

  it.each(['throttled', 'unavailable'] as const)('ends with 1 when %s', fault => {
    doctl.setFaults({ [fault]: ['app/done'] })
    expect(run('functions invoke app/done')).toEqual({ status: 1, stdout: '', stderr: ERROR })
  })
})

describe('activations get', () => {
  beforeEach(deployed)

  it.each([
    ['done', { status: 'success', success: true, result: { done: true } }],
    ['answersError', { status: 'application error', success: false, result: { error: { code: 'migration-failed' } } }],
    ['throws', { status: 'application error', success: false, result: { error: { message: 'thrown' } } }],
    ['crashes', { status: 'developer error', success: false, result: { error: expect.stringMatching(/exited unexpectedly/) as unknown } }],
  ])('shows the response once %s has ended', (name, response) => {
    const { status, stdout, stderr } = run(`activations get ${started(`app/${name}`)}`)
    expect([status, stderr]).toEqual([0, ''])
    expect(JSON.parse(stdout)).toMatchObject({ response })
  })

  it('ends with 1 before the function has ended', () => {
    doctl.setFaults({ slow: ['app/done'] })
    const id = started('app/done')
    const early = { status: 1, stdout: '', stderr: 'Error: The requested resource does not exist.\n' }
    expect([run(`activations get ${id}`), run(`activations get ${id}`)]).toEqual([early, early])
    expect(run(`activations get ${id}`).status).toBe(0)
    expect(run(`activations get ${UNKNOWN_ID}`)).toEqual(early)
  })

  it('has the log in a call of its own', () => {
    const { status, stdout } = run(`activations logs ${started('app/crashes')}`)
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^\S+Z stderr: Error: crashed\n$/)])
  })
})

describe('functions get', () => {
  beforeEach(deployed)

  it('ends with 1 for an unknown function', () => {
    expect(run('functions get app/none')).toEqual({ status: 1, stdout: '', stderr: ERROR })
  })

  it('shows the variables of the package on each function', () => {
    expect(run('functions get app/done --save-env-json env.json')).toMatchObject({ status: 0, stdout: '' })
    expect(JSON.parse(readFileSync(join(folder, 'env.json'), 'utf8'))).toEqual({ OWN: 'own', SHARED: 'shared' })
  })

  it('saves to a temporary folder of its own as a snap', () => {
    doctl.setFaults({ snap: true })
    const file = join(doctl.environment.DOCTL_STATE, 'env.json')
    expect(run(`functions get app/done --save-env-json ${file}`).status).toBe(0)
    expect(() => readFileSync(file)).toThrow('ENOENT')
    expect(run('functions get app/done --save-env-json env.json').status).toBe(0)
    expect(readFileSync(join(folder, 'env.json'), 'utf8')).toContain('shared')
  })
})

describe('an error', () => {
  const FAILING = ['functions get app/none', 'functions list', 'triggers list', `activations get ${UNKNOWN_ID}`, 'deploy .']

  it.each(FAILING)('of %s is JSON on standard output with --output json', line => {
    doctl.setFaults({ triggersUnreadable: true, functionsUnreadable: true, deployCrashes: true })
    const ways: (() => ReturnType<typeof run>)[] = [
      () => run(`${line} --output json`),
      () => run(line, { DIGITALOCEAN_OUTPUT: 'json' }),
      () => (doctl.setFaults({ triggersUnreadable: true, functionsUnreadable: true, deployCrashes: true, outputJson: true }), run(line)),
    ]
    for (const way of ways) {
      const { status, stdout, stderr } = way()
      expect([status, stderr]).toEqual([1, ''])
      expect(JSON.parse(stdout)).toEqual({ errors: [{ detail: expect.stringMatching(/./) as unknown }] })
    }
  })
})

describe('serverless deploy', () => {
  it('prints one Error line with a continuation for each failure', () => {
    doctl.setFaults({ refuse: ['app/done', 'app/throws'] })
    expect(run('deploy . --env .env')).toMatchObject({
      status: 1,
      stderr:
        "Error: While deploying action 'app/done': 413 Request Entity Too Large\nWhile deploying action 'app/throws': 413 Request Entity Too Large\n",
    })
  })

  it('prints the output of a build script that fails', () => {
    mkdirSync(join(folder, 'lib'))
    writeFileSync(join(folder, 'lib/build.sh'), '#!/bin/bash\necho on stdout\necho on stderr >&2\nexit 7\n')
    chmodSync(join(folder, 'lib/build.sh'), 0o755)
    const { status, stdout, stderr } = run('deploy . --env .env')
    expect([status, stderr]).toEqual([1, "Error: './build.sh' exited with code 7\n"])
    expect(stdout).toMatch(/^Output of failed build in .*\/lib\non stdout\non stderr\n/)
  })

  it('deploys an undeclared folder, public', () => {
    mkdirSync(join(folder, 'packages/app/debug'))
    writeFileSync(join(folder, 'packages/app/debug/index.js'), MAIN.done)
    deployed()
    expect(JSON.parse(run('functions get app/debug').stdout)).toMatchObject({
      exec: { kind: 'nodejs:default' },
      annotations: expect.arrayContaining([{ key: 'web-export', value: true }]) as unknown,
    })
  })
})

describe('serverless connect', () => {
  it('warns without an access key, and connects', () => {
    doctl.setFaults({ notConnected: true })
    expect(run('status')).toEqual({ status: 1, stdout: '', stderr: ERROR })
    const { status, stdout, stderr } = run('connect fn-1')
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^Warning: .*deprecated\.[^]*--access-key[^]*Connected to functions namespace/)
    expect(JSON.parse(run('status --credentials').stdout)).toMatchObject({ auth: expect.not.stringMatching(/^dof_v1_/) as unknown })
  })

  it('connects with an access key without a word', () => {
    expect(run('connect fn-1 --access-key dof_v1_id:secret')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Connected/) as unknown })
    expect(JSON.parse(run('status --credentials').stdout)).toMatchObject({ auth: expect.stringMatching(/^dof_v1_/) as unknown })
    expect(run('connect fn-1 --access-key wrong')).toEqual({ status: 1, stdout: '', stderr: ERROR })
  })

  it('needs the API token for every call', () => {
    doctl.setFaults({ noToken: true })
    for (const line of ['status', 'functions list', 'triggers list', 'connect fn-1'])
      expect(run(line)).toEqual({ status: 1, stdout: '', stderr: expect.stringContaining('access token is required') as unknown })
  })
})

describe('lists and triggers', () => {
  beforeEach(deployed)

  it('come in pages as JSON', () => {
    const page = JSON.parse(run('functions list --limit 3 --skip 2 --output json').stdout) as { name: string }[]
    expect(page.map(({ name }) => name)).toEqual(['throws', 'crashes'])
  })

  it('show one trigger as a list of one', () => {
    for (const [word, enabled] of [
      ['get', true],
      ['disable', false],
      ['enable', true],
    ] as const) {
      const [shown, ...more] = JSON.parse(run(`triggers ${word} often --output json`).stdout) as Record<string, unknown>[]
      expect([shown, more]).toEqual([expect.objectContaining({ name: 'often', function: 'app/done', is_enabled: enabled }), []])
    }
    expect(run('triggers get none')).toEqual({ status: 1, stdout: '', stderr: ERROR })
  })

  it('print null for no trigger, and remove what is named', () => {
    expect(run('undeploy --triggers often').status).toBe(0)
    expect(run('triggers list --output json').stdout).toBe('null\n')
    expect(run('undeploy app/done')).toMatchObject({ status: 0 })
    expect(run('undeploy app/done').status).toBe(1)
  })
})
