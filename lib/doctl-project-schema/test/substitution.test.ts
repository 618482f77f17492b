import { describe, expect, it } from 'vitest'
import { functionsOf } from '../src/functions-of.ts'
import { parseProject } from '../src/parse-project.ts'
import { placeholderEnvironment } from '../src/placeholder-environment.ts'
import { type Issue } from '../src/issue.ts'
import { ProjectFileError } from '../src/project-file-error.ts'
import { edited, inFunction, inProject, VALID_ENVIRONMENT } from './valid-project.ts'

/** The environment of `ops/migrate` with one line added to it. */
function environmentWith(line: string, env: Record<string, string>): Record<string, string> | undefined {
  const project = parseProject(edited(inFunction(line)), { ...VALID_ENVIRONMENT, ...env })
  return functionsOf(project).find(({ name }) => name === 'migrate')?.environment
}

function issuesWith(line: string, env: Record<string, string>): readonly Issue[] {
  return issuesOf(() => environmentWith(line, env))
}

function issuesOf(read: () => unknown): readonly Issue[] {
  try {
    read()
  } catch (error) {
    if (error instanceof ProjectFileError) return error.issues
    throw error
  }
  return []
}

describe('text substitution', () => {
  it('replaces inside of keys, quotes and words alike', () => {
    expect(environmentWith('${KEY}: { A: "x-${PART}-y" }', { KEY: 'environment', PART: 'b' })).toEqual({ A: 'x-b-y' })
  })

  it('ignores spaces around the name', () => {
    expect(environmentWith('environment: { A: "${ PART }" }', { PART: 'b' })).toEqual({ A: 'b' })
  })

  it('does not look at what it has inserted', () => {
    expect(environmentWith("environment: { A: '${PART}' }", { PART: '${OTHER} $(OTHER)' })).toEqual({ A: '${OTHER} $(OTHER)' })
  })

  it('takes the first closing brace for the end', () => {
    expect(environmentWith("environment: { A: '${A{B}}' }", { 'A{B': 'b' })).toEqual({ A: 'b}' })
  })

  it('names every unresolved variable once, comments included', () => {
    const issues = issuesWith('environment: { A: "${ONE}${TWO}", B: "${ONE}" } # ${THREE} $(FOUR TWO)', { TWO: '' })
    expect(issues.map(({ code, line }) => [code, line])).toEqual(Array.from({ length: 4 }, () => ['unresolved-variable', 26]))
    expect(issues.map(({ reason }) => /variable (\S+) is/.exec(reason)?.[1])).toEqual(['ONE', 'TWO', 'THREE', 'FOUR'])
  })

  it('refuses names that no variable can have, even where every variable counts as set', () => {
    for (const reference of ['${A:-a}', '${}', '$()', '$(A, B)', '${|}', '${${A}}']) {
      const text = `packages: [] # ${reference}`
      const issues = issuesOf(() => parseProject(text, placeholderEnvironment(text)))
      expect([reference, issues.map(({ code, line, column }) => [code, line, column])]).toEqual([reference, [['reference-name', 1, 16]]])
    }
  })

  it('cuts an unquoted value at a space and a number sign, as the deployer does', () => {
    expect(environmentWith('environment:\n          A: ${CUT}', { CUT: 'abc #def' })).toEqual({ A: 'abc' })
  })

  it('turns a typed backslash and n into a line break in double quotes only', () => {
    const env = { PEM: 'a\\nb' }
    expect(environmentWith('environment: { A: "${PEM}" }', env)).toEqual({ A: 'a\nb' })
    expect(environmentWith("environment: { A: '${PEM}' }", env)).toEqual({ A: 'a\\nb' })
    expect(environmentWith('environment: { A: ${PEM} }', env)).toEqual({ A: 'a\\nb' })
  })

  it('writes the line breaks of a value as backslash and n, which are line breaks again in double quotes only', () => {
    const env = { PEM: 'a\nb\n' }
    expect(environmentWith('environment: { A: "${PEM}" }', env)).toEqual({ A: 'a\nb\n' })
    expect(environmentWith("environment: { A: '${PEM}' }", env)).toEqual({ A: 'a\\nb\\n' })
    expect(environmentWith('environment: { A: ${PEM} }', env)).toEqual({ A: 'a\\nb\\n' })
  })

  it('inserts the lines of a value as they are behind a bar', () => {
    expect(environmentWith('environment: { A: "${|PEM}" }', { PEM: 'a\nb' })).toEqual({ A: 'a b' })
    expect(issuesWith('environment:\n          A: ${|PEM}', { PEM: 'a\nb: c' })).toMatchObject([{ code: 'yaml-syntax' }])
    expect(issuesWith('environment: { A: ${|PEM} }', {})).toMatchObject([{ code: 'unresolved-variable', line: 26 }])
  })
})

describe('dictionary substitution', () => {
  const AWKWARD = {
    QUOTES: `"double" 'single' \`back\``,
    BACKSLASHES: 'a\\b\\nc\\d',
    SIGNS: ' #:@{}$%&*!|>,[]-? ${X} $(Y) ',
    PEM: '-----BEGIN-----\nabc\n-----END-----\n',
    CRLF: 'a\r\nb',
    TABS: 'a\tb',
    EMOJI: '🐘 ünïcödé \u2028 \u0085 \u0007',
    LONG: 'x'.repeat(8192),
    NUMBER: '0123',
    BOOLEAN: 'true',
    DATE: '2024-02-29',
  }
  const NAMES = Object.keys(AWKWARD).join(' ')

  it('brings every value over as it is', () => {
    expect(environmentWith(`environment: $(${NAMES})`, AWKWARD)).toEqual(AWKWARD)
  })

  it('mixes with literal keys through a merge, and the literal wins', () => {
    expect(environmentWith('environment:\n          A: mine\n          B: b\n          <<: $(A C)', { A: 'theirs', C: 'c' })).toEqual({
      A: 'mine',
      B: 'b',
      C: 'c',
    })
  })

  it('merges several', () => {
    expect(environmentWith('environment:\n          <<: [$(A), $(A B)]', { A: 'a', B: 'b' })).toEqual({ A: 'a', B: 'b' })
  })

  it('spreads over lines', () => {
    expect(environmentWith('environment: $(A\n          B)', { A: 'a', B: 'b' })).toEqual({ A: 'a', B: 'b' })
  })

  it('is meant by braces with a space inside as well', () => {
    expect(environmentWith('environment: ${A B}', { A: 'a', B: 'b' })).toEqual({ A: 'a', B: 'b' })
  })
})

describe('the environment of the project', () => {
  it.each(['0', 'false', '~', '{ a: b }'])('escapes the deployer’s check and is refused all the same: %s', value => {
    let issues: readonly Issue[] = []
    try {
      parseProject(edited(inProject(`environment: { A: ${value} }`)), VALID_ENVIRONMENT)
    } catch (error) {
      issues = (error as ProjectFileError).issues
    }
    expect(issues).toMatchObject([{ code: 'environment-value', path: 'environment.A', line: 1 }])
  })
})
