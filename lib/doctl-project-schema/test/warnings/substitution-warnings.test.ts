import { describe, expect, it } from 'vitest'
import { environmentFileWarnings } from '../../src/warnings/environment-file-warnings.ts'
import { readEnvironmentFile } from '../../src/environment-file.ts'
import { substitutionWarnings } from '../../src/warnings/substitution-warnings.ts'
import { edited, inFunction, VALID_ENVIRONMENT, VALID_PROJECT } from '../valid-project.ts'

function warningsWith(line: string, env: Record<string, string> = {}) {
  return substitutionWarnings(edited(inFunction(line)), { ...VALID_ENVIRONMENT, ...env })
}
const namesWith = (line: string, env?: Record<string, string>) => warningsWith(line, env).map(({ name, line: at }) => `${name} ${at}`)

describe('a substitution', () => {
  it('as a dictionary is safe', () => {
    expect(substitutionWarnings(VALID_PROJECT, VALID_ENVIRONMENT)).toEqual([])
    expect(namesWith('environment: $(A B)', { A: 'a # b', B: 'c: "d' })).toEqual([])
  })

  it.each([
    ['# set ${A} first', 'reference-in-comment:A 26'],
    ['# built on $(A)', 'reference-in-comment:A 26'],
    ['main: "x" # $(A B)', 'reference-in-comment:A B 26'],
  ])('in a comment stops the deploy one day: %s', (line, expected) => {
    expect(namesWith(line, { A: 'a', B: 'b' })).toEqual([expected])
  })

  it.each(['environment: { A: "${A}" }', 'main: ${A}', '${A}: { B: b }', 'limits2: { timeout: ${A} }'])('as text depends on its value: %s', line => {
    expect(namesWith(line, { A: '123' })).toEqual(['text-substitution:A 26'])
  })

  it.each([
    ['environment:\n          A: ${A}', 'abc #def', 'cut at the number sign'],
    ['environment: { A: "${A}" }', 'a\\nb', 'a line break in place of a backslash and n'],
    ['environment: { A: "${A}" }', 'a", B: "b', 'another key out of the value'],
    ["environment: { A: '${A}' }", "it''s", 'one quote in place of two'],
    ['environment: { A: "${|A}" }', 'a\n\n          b', 'lines put together'],
    ['environment: { A: ${A} }', 'a\nb', 'a backslash and n in place of a line break'],
    ['environment:\n          A: ${A}', 'a ', 'a blank lost at the end'],
  ])('does not bring the value over as it is: %s with %j', (line, value) => {
    const [warning, ...others] = warningsWith(line, { A: value })
    expect(others).toEqual([])
    expect(warning).toMatchObject({ code: 'changed-value', name: 'changed-value:A', line: line.includes('\n') ? 27 : 26 })
    expect(warning?.fix).toContain('<<: $(A)')
  })

  it('is looked at by itself although others are inserted around it', () => {
    const names = namesWith('environment: { A: "${A}", B: "${B}", C: "${A}" }', { A: 'a long one that shifts', B: 'x\\ny' })
    expect(names).toEqual(['text-substitution:A 26', 'changed-value:B 26', 'text-substitution:A 26'])
  })
})

describe('a file of variables', () => {
  const warningsOf = (text: string, processEnv: Record<string, string> = {}) =>
    environmentFileWarnings(text, readEnvironmentFile(text), processEnv).map(({ name, line }) => `${name} ${line}`)

  it('cuts a value at a # that has no quotes around it', () => {
    expect(warningsOf('A=a\nB=abc#def\nexport C=x y#z\n')).toEqual(['env-file-comment:B 2', 'env-file-comment:C 3'])
  })

  it('may hold comments, and # in quotes', () => {
    expect(warningsOf('# a#b\nA=abc # why\nB="abc#def"\nC=\'a#b\'\nD=`a#b`\nE=#none\n')).toEqual([])
  })

  it('is cut nowhere when it is JSON', () => {
    expect(warningsOf('{"A": "a#b"}')).toEqual([])
  })

  it('loses against another value in the process, which is said without the values', () => {
    const warnings = environmentFileWarnings('A=s3cret\nB=b\n', { A: 's3cret', B: 'b', C: '' }, { A: '0ther', B: 'b', C: 'c' })
    expect(warnings.map(({ name }) => name)).toEqual(['env-file-override:A'])
    expect(JSON.stringify(warnings)).not.toMatch(/s3cret|0ther/)
  })
})
