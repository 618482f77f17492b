import { describe, expect, it } from 'vitest'
import { readEnvironmentFile, resolveEnvironment } from '../src/environment-file.ts'
import { placeholderEnvironment } from '../src/placeholder-environment.ts'
import { type Issue } from '../src/issue.ts'
import { ProjectFileError } from '../src/project-file-error.ts'
import { VALID_PROJECT } from './valid-project.ts'

function issuesOf(text: string): readonly Issue[] {
  try {
    readEnvironmentFile(text)
  } catch (error) {
    if (error instanceof ProjectFileError) return error.issues
    throw error
  }
  return []
}

describe('readEnvironmentFile', () => {
  it('reads lines of names and values', () => {
    expect(readEnvironmentFile('# settings\nA=a\nexport B = "b c"\n\nC=\n')).toEqual({ A: 'a', B: 'b c', C: '' })
  })

  it('ends an unquoted value at a number sign, but not a quoted one', () => {
    expect(readEnvironmentFile('A=abc#def\nB="abc#def"\n')).toEqual({ A: 'abc', B: 'abc#def' })
  })

  it('turns a typed backslash and n into a line break in double quotes only', () => {
    expect(readEnvironmentFile('A="a\\nb"\nB=\'a\\nb\'\n')).toEqual({ A: 'a\nb', B: 'a\\nb' })
  })

  it('reads JSON', () => {
    expect(readEnvironmentFile('{ "A": "a#b", "B": "1" }')).toEqual({ A: 'a#b', B: '1' })
  })

  it('passes over what is neither', () => {
    expect(readEnvironmentFile('{ "A": ')).toEqual({})
    expect(readEnvironmentFile('')).toEqual({})
  })

  it('refuses every value of JSON that is not a string, without showing it', () => {
    const issues = issuesOf('{ "A": "a", "B": 4711, "C": null, "D": ["x"] }')
    expect(issues.map(({ code, path }) => [code, path])).toEqual([
      ['env-file-value', 'B'],
      ['env-file-value', 'C'],
      ['env-file-value', 'D'],
    ])
    expect(JSON.stringify(issues)).not.toContain('4711')
  })

  it.each(['[]', '5', 'null', '"A=a"'])('refuses JSON that is not a map: %s', text => {
    expect(issuesOf(text)).toMatchObject([{ code: 'env-file-type', path: '' }])
  })
})

describe('resolveEnvironment', () => {
  it('lets the process win over the file', () => {
    expect(resolveEnvironment({ A: 'file', B: 'file' }, { A: 'process', C: 'process' })).toEqual({ A: 'process', B: 'file', C: 'process' })
  })

  it('takes an empty variable of the process for unset, as the deployer does', () => {
    expect(resolveEnvironment({ A: 'file' }, { A: '', B: undefined })).toEqual({ A: 'file' })
  })
})

describe('placeholderEnvironment', () => {
  it('has a text for each name that a file refers to', () => {
    expect(Object.keys(placeholderEnvironment(`${VALID_PROJECT}# \${OTHER}`))).toEqual(['DB_CONNECTION_URL', 'DB_CA_CERT', 'LOG_LEVEL', 'OTHER'])
  })
})
