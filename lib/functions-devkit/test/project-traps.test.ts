import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  checkProject,
  environmentFileWarnings,
  placeholderEnvironment,
  ProjectFileError,
  readEnvironmentFile,
} from '../../doctl-project-schema/src/index.ts'
import { describe, expect, it } from 'vitest'
import { copyProject } from './support/project-copy.ts'
import { REPOSITORY } from './support/tested-application.ts'
import { TRAPS } from './support/project-traps.ts'

const CASES = TRAPS.flatMap(({ number, words, cases }) => cases.map(entry => ({ ...entry, trap: `${number}, ${words}` })))

/** The line of the first difference between two texts. */
function firstChangedLine(before: string, after: string): number {
  const lines = before.split('\n')
  return after.split('\n').findIndex((line, index) => line !== lines[index]) + 1
}

describe('the table of traps', () => {
  it('has all 34, each with a case or a reason', () => {
    expect(TRAPS.map(({ number }) => number)).toEqual(Array.from({ length: 34 }, (_, index) => index + 1))
    for (const { number, kind, cases, reason } of TRAPS) {
      expect([number, cases.length > 0 || reason !== undefined]).toEqual([number, true])
      expect([number, kind === 'refused' || kind === 'warned' || reason !== undefined]).toEqual([number, true])
    }
  })

  it('begins with a project that has no problem', () => {
    using copy = copyProject()
    expect(checkProject(copy.root).problems).toEqual([])
  })

  it.each(CASES)('holds for trap $trap: $title', ({ spring, refused, warned, env }) => {
    using copy = copyProject()
    const environment = env && { ...placeholderEnvironment(copy.text), ...env }
    const usual = new Set(checkProject(copy.root, { env: environment }).warnings.map(({ name }) => name))
    spring(copy)
    const { problems, warnings } = checkProject(copy.root, { env: environment })
    const found = {
      refused: problems.map(({ code, file, path }) => [code, file, path].filter(Boolean).join(' ')),
      warned: warned === undefined ? [] : warnings.map(({ name }) => name).filter(name => !usual.has(name)),
    }
    expect(found).toEqual({ refused: refused === undefined ? [] : [refused], warned: warned === undefined ? [] : [warned] })
  })

  it.each(CASES.filter(({ refused }) => refused?.includes('project.yml packages') && !refused.includes('missing')))(
    'gives the line for trap $trap: $title',
    ({ spring, env, refused }) => {
      using copy = copyProject()
      spring(copy)
      const after = readFileSync(join(copy.root, 'project.yml'), 'utf8')
      const { problems } = checkProject(copy.root, { env: env && { ...placeholderEnvironment(copy.text), ...env } })
      const line = problems[0]?.line ?? 0
      const key = /(\w+)$/.exec(refused ?? '')?.[1] ?? ''
      expect(after.split('\n')[line - 1]).toContain(`${key}:`)
      expect(line).toBeGreaterThanOrEqual(firstChangedLine(copy.text, after))
    },
  )
})

describe('trap 14 and 17', () => {
  it('are warned of by the names that a .env file cuts or the process overrides', () => {
    const text = 'API_KEY=abc#def\nLOG_LEVEL=info\n'
    const names = environmentFileWarnings(text, readEnvironmentFile(text), { LOG_LEVEL: 'debug' }).map(({ name }) => name)
    expect(names).toEqual(['env-file-comment:API_KEY', 'env-file-override:LOG_LEVEL'])
  })

  it('are refused for a number in a .env file of JSON', () => {
    expect(() => readEnvironmentFile('{"DB_PORT": 25060}')).toThrow(ProjectFileError)
  })
})

describe('trap 34', () => {
  it('cannot happen in our build: the token of the account is gone before anything is installed', () => {
    const installs = readFileSync(join(REPOSITORY, 'build.sh'), 'utf8')
      .split('\n')
      .filter(line => /\bnpm (ci|install)\b/.test(line) && !line.trim().startsWith('#'))
    expect(installs.length).toBeGreaterThan(0)
    for (const line of installs) expect(line).toContain('env -u DO_API_KEY')
  })
})

describe('trap 10', () => {
  it('leaves nothing in git: what a deploy writes is ignored', () => {
    const ignored = readFileSync(join(REPOSITORY, '.gitignore'), 'utf8').split('\n')
    expect(ignored).toEqual(expect.arrayContaining(['__deployer__.zip', '.deployed/', 'dist/', '.env']))
  })
})

describe('trap 24', () => {
  it('ends our own check with 1', () => {
    using copy = copyProject()
    copy.write('project.yml', 'packages: []\n')
    const command = join(REPOSITORY, 'lib/doctl-project-schema/bin/doctl-project-schema.js')
    const { status, stdout } = spawnSync(process.execPath, [command, 'check', copy.root], { encoding: 'utf8' })
    expect(status).toBe(1)
    expect(stdout).toContain('problem project.yml:1:1 packages: packages is empty')
  })
})
