import { describe, expect, it } from 'vitest'
import { parseProject } from '../src/parse-project.ts'
import { type Issue } from '../src/issue.ts'
import { ProjectFileError } from '../src/project-file-error.ts'
import { refusals } from '../src/refusals.ts'
import { type BadProject } from './cases/case.ts'
import { FALSY_CASES } from './cases/falsy.ts'
import { FUNCTION_CASES } from './cases/function.ts'
import { PACKAGE_CASES, PROJECT_CASES } from './cases/project.ts'
import { TEXT_CASES } from './cases/text.ts'
import { TRIGGER_CASES } from './cases/trigger.ts'
import { edited, VALID_ENVIRONMENT, VALID_PROJECT } from './valid-project.ts'

const CASES = [...TEXT_CASES, ...PROJECT_CASES, ...PACKAGE_CASES, ...FUNCTION_CASES, ...TRIGGER_CASES, ...FALSY_CASES]

describe('a bad project file', () => {
  it.each(CASES)('is refused for $title', ({ edit, env, code, path, line }) => {
    const text = edited(edit)
    const issues = issuesOf(text, env)
    expect(issues.map(issue => ({ code: issue.code, path: issue.path }))).toEqual([{ code, path }])
    expect(issues[0]?.line).toBe(line === 'none' ? undefined : (line ?? firstChangedLine(text)))
  })

  it('has a case for every reason there is', () => {
    const covered = new Set(CASES.map(({ code }) => code))
    const elsewhere = new Set(['env-file-type', 'env-file-value'])
    expect(Object.keys(refusals).filter(code => !elsewhere.has(code) && !covered.has(code as BadProject['code']))).toEqual([])
  })

  it('is described by a title of its own', () => {
    const titles = CASES.map(({ title }) => title)
    expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([])
  })

  it('is told what to write instead', () => {
    for (const { edit, env } of CASES) {
      const issue = issuesOf(edited(edit), env)[0]
      expect(issue?.reason).toMatch(/^\S.*[^.{]$/)
      expect(issue?.fix).toMatch(/^[A-Z].*[^.{]$/)
      expect(`${issue?.reason}${issue?.fix}`).not.toContain('{}')
    }
  })
})

function issuesOf(text: string, env: BadProject['env'] = {}): readonly Issue[] {
  try {
    parseProject(text, { ...VALID_ENVIRONMENT, ...env })
  } catch (error) {
    if (error instanceof ProjectFileError) return error.issues
    throw error
  }
  return []
}

function firstChangedLine(text: string): number {
  const valid = VALID_PROJECT.split('\n')
  return text.split('\n').findIndex((line, index) => line !== valid[index]) + 1
}
