import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cron } from 'croner'
import { describe, expect, it } from 'vitest'
import {
  checkProject,
  environmentFileWarnings,
  functionsOf,
  parseProject,
  placeholderEnvironment,
  readEnvironmentFile,
  substitutionWarnings,
} from '../../lib/doctl-project-schema/src/index.ts'
import { startLanguageServer } from '../../lib/doctl-project-schema/test/editor/language-server.ts'
import { REPOSITORY } from '../../lib/functions-devkit/test/support/tested-application.ts'
import { scheduleSettings } from '../../lib/functions-ops/src/settings/health.ts'

const SCHEMA = 'lib/doctl-project-schema/project.schema.json'
const project = readFileSync(join(REPOSITORY, 'project.yml'), 'utf8')

it('an editor finds the schema by the first line of project.yml, and marks nothing in it', async () => {
  expect(project.startsWith(`# yaml-language-server: $schema=${SCHEMA}\n`)).toBe(true)
  const folder = mkdtempSync(join(tmpdir(), 'project-editor-'))
  cpSync(join(REPOSITORY, SCHEMA), join(folder, SCHEMA), { recursive: true })
  const editor = startLanguageServer(folder)
  try {
    expect(await editor.marksOf('project.yml', project)).toEqual([])
  } finally {
    await editor.stop()
    rmSync(folder, { recursive: true })
  }
})

it('the schedule that checks the health runs as often as HEALTH_EVERY_SECONDS in .env.example says', () => {
  const { value } = scheduleSettings.parse(readEnvironmentFile(readFileSync(join(REPOSITORY, '.env.example'), 'utf8')))
  const checking = functionsOf(parseProject(project, placeholderEnvironment(project))).filter(
    ({ environment }) => 'HEALTH_EVERY_SECONDS' in environment,
  )
  const crons = checking.flatMap(({ triggers }) => triggers.map(({ cron }) => cron))
  expect(crons).toHaveLength(1)
  const [first, second] = new Cron(crons[0] ?? '', { timezone: 'UTC' }).nextRuns(2, new Date('2026-11-24T12:00:00.000Z'))
  expect(Number(second) - Number(first)).toBe(value?.everyMs)
})

describe('in project.yml', () => {
  it('the check finds no problem', () => {
    expect(checkProject(REPOSITORY).problems).toEqual([])
  })

  it('trap 16 cannot happen: awkward values of every variable arrive as they are', () => {
    const awkward = `"double" 'single' \\d\\n #:@{}$\t\r\n-----BEGIN-----\n🐘 \${X} 0123`
    const standIns = placeholderEnvironment(project)
    const env = Object.fromEntries(Object.keys(standIns).map(name => [name, awkward]))
    const passedWith = (values: Record<string, string>) =>
      functionsOf(parseProject(project, values)).flatMap(({ environment }) => Object.entries(environment))
    // What is written out in the file is the same whatever the variables hold.
    const writtenOut = (name: string, value: string) => value !== standIns[name]
    const awaited = passedWith(standIns).map(([name, value]) => [name, writtenOut(name, value) ? value : awkward])
    expect(passedWith(env)).toEqual(awaited)
    expect(new Set(awaited.filter(([, value]) => value === awkward).map(([name]) => name))).toEqual(new Set(Object.keys(env)))
    expect(substitutionWarnings(project, env)).toEqual([])
  })

  it('traps 19, 20 and 34 cannot happen: only functions hold variables, and the public ones are raw', () => {
    const parsed = parseProject(project, placeholderEnvironment(project))
    expect([parsed, ...parsed.packages].filter(owner => 'environment' in owner)).toEqual([])
    expect(functionsOf(parsed).filter(({ web }) => web === true)).toEqual([])
  })

  it('its first line does no harm to what the deployer reads: it refers to nothing that would be substituted', () => {
    const withoutFirst = project.slice(project.indexOf('\n') + 1)
    expect(project).toMatch(/^# yaml-language-server: \$schema=lib\/doctl-project-schema\/project\.schema\.json\n/)
    expect(placeholderEnvironment(project.slice(0, project.indexOf('\n')))).toEqual({})
    const env = placeholderEnvironment(withoutFirst)
    expect(parseProject(project, env)).toEqual(parseProject(withoutFirst, env))
  })
})

it('no value in .env.example is cut or overridden', () => {
  const text = readFileSync(join(REPOSITORY, '.env.example'), 'utf8')
  expect(environmentFileWarnings(text, readEnvironmentFile(text), {})).toEqual([])
})
