import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readEnvironmentFile } from '../src/environment-file.ts'
import { functionsOf } from '../src/functions-of.ts'
import { readProjectFile } from '../src/parse-project.ts'
import { findWarnings } from '../src/warnings/find-warnings.ts'
import { substitutionWarnings } from '../src/warnings/substitution-warnings.ts'
import { parseProject } from '../src/parse-project.ts'
import { placeholderEnvironment } from '../src/placeholder-environment.ts'
import { ProjectFileError } from '../src/project-file-error.ts'
import { VALID_ENVIRONMENT, VALID_PROJECT } from './valid-project.ts'

const PIECES = [
  '${A}',
  '$(A B)',
  '${',
  '$(',
  '<<: ',
  '&a ',
  '*a',
  '- ',
  '? ',
  ': ',
  '{',
  '}',
  '[',
  ']',
  ',',
  '"',
  "'",
  '|\n',
  '>-\n',
  '#',
  '!!binary ',
  '!!set ',
  '!x ',
  '---\n',
  '%YAML 1.1\n',
  '\n',
  '\n  ',
  '\t',
  '\0',
  '\uFEFF',
  '\uD800',
  '__proto__: ',
  'packages: ',
  'name: ',
  'functions: ',
  'environment: ',
  'triggers: ',
  'limits: ',
  'x',
  '2024-02-29',
  '.nan',
  '~',
  'true',
]
/** The project file of the test application, the longest real one at hand. */
const REAL_PROJECT = readFileSync(join(import.meta.dirname, '../../functions-devkit/test/application/project.yml'), 'utf8')
const REAL_LINES = REAL_PROJECT.split('\n')

/** Lines of the real file that are dropped, repeated, swapped, indented otherwise or broken inside. */
const mutatedLines = fc
  .array(fc.record({ line: fc.nat(REAL_LINES.length - 1), change: fc.nat(5), piece: fc.constantFrom(...PIECES), at: fc.nat(60) }), {
    minLength: 1,
    maxLength: 6,
  })
  .map(changes => {
    const lines = [...REAL_LINES]
    for (const { line, change, piece, at } of changes) {
      const text = lines[line] ?? ''
      if (change === 0) lines.splice(line, 1)
      else if (change === 1) lines.splice(line, 0, text)
      else if (change === 2) lines.splice(line, 1, lines[at % lines.length] ?? '')
      else if (change === 3) lines.splice(line, 1, ' '.repeat(at % 12) + text.trimStart())
      else lines.splice(line, 1, text.slice(0, at) + piece + text.slice(change === 4 ? at : at + 3))
    }
    return lines.join('\n')
  })

const textArbitrary = fc.oneof(
  mutatedLines,
  fc.string({ unit: 'binary' }),
  fc.array(fc.constantFrom(...PIECES), { maxLength: 40 }).map(pieces => pieces.join('')),
  fc
    .tuple(fc.nat(VALID_PROJECT.length), fc.nat(40), fc.array(fc.constantFrom(...PIECES), { maxLength: 4 }))
    .map(([at, removed, pieces]) => VALID_PROJECT.slice(0, at) + pieces.join('') + VALID_PROJECT.slice(at + removed)),
  fc.json().map(json => `{"packages": ${json}}`),
)

function errorOf(run: () => unknown): unknown {
  try {
    run()
    return undefined
  } catch (error) {
    return error
  }
}

describe('any text', () => {
  it('is either a project or a ProjectFileError with at least one issue', () => {
    fc.assert(
      fc.property(
        textArbitrary,
        fc.dictionary(fc.constantFrom('A', 'B', 'DB_CA_CERT', 'LOG_LEVEL', 'DB_CONNECTION_URL'), fc.string()),
        (text, env) => {
          const error = errorOf(() => functionsOf(parseProject(text, env)))
          if (error === undefined) return
          expect(error).toBeInstanceOf(ProjectFileError)
          expect((error as ProjectFileError).issues.length).toBeGreaterThan(0)
        },
      ),
      { numRuns: 3000 },
    )
  })

  it('that is a project has its warnings found without an error', () => {
    fc.assert(
      fc.property(textArbitrary, text => {
        const env = placeholderEnvironment(text)
        const error = errorOf(() => {
          const file = readProjectFile(text, env)
          findWarnings(file, { bundleBytes: { 'api/webhook': 9_000_000 } })
          substitutionWarnings(text, env)
        })
        expect(error === undefined || error instanceof ProjectFileError).toBe(true)
      }),
      { numRuns: 1500 },
    )
  })

  it('gets positions that lie inside of it', () => {
    fc.assert(
      fc.property(textArbitrary, text => {
        const error = errorOf(() => parseProject(text, placeholderEnvironment(text)))
        const lines = text.split(/\r\n|\r|\n/)
        for (const { line, column = 0 } of error instanceof ProjectFileError ? error.issues : []) {
          if (line === undefined) continue
          expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? -1) + 1)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('has all its substitutions resolved by the placeholder environment', () => {
    fc.assert(
      fc.property(textArbitrary, text => {
        const error = errorOf(() => parseProject(text, placeholderEnvironment(text)))
        const codes = error instanceof ProjectFileError ? error.issues.map(({ code }) => code) : []
        expect(codes).not.toContain('unresolved-variable')
      }),
      { numRuns: 2000 },
    )
  })

  it('as an environment file is either a map of strings or a ProjectFileError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), text => {
        let env: Record<string, string> = {}
        const error = errorOf(() => (env = readEnvironmentFile(text)))
        expect(error === undefined || error instanceof ProjectFileError).toBe(true)
        expect(Object.values(env).every(value => typeof value === 'string')).toBe(true)
      }),
    )
  })
})

describe('a value of the environment', () => {
  const MARK = 'S3CRETVALUE'
  const PLACES = [
    '${SECRET}: 1',
    'foo: ${SECRET}',
    'foo: [${SECRET}',
    'main: *${SECRET}',
    'main: !${SECRET} x',
    'main: !a!${SECRET} x',
    '"${SECRET}": { a: b }',
    'environment: { ${SECRET}: 1 }',
    'environment: { A: ${SECRET}',
    'parameters: { ${SECRET}: 2024-02-29 }',
    'web: ${SECRET}',
    'webSecure: [${SECRET}]',
    'limits: { ${SECRET}: 1 }',
    'runtime: ${SECRET}',
    'name: ${SECRET}',
    'triggers: [${SECRET}]',
    'sequence: [${SECRET}, 1]',
    '$(SECRET): 1',
    '$(SECRET OTHER)',
    '%TAG !${SECRET}! x',
    '- ${SECRET}',
  ]

  it('never appears in an error, whatever it does to the file', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...PLACES),
        fc.array(fc.constantFrom(...PIECES), { maxLength: 3 }),
        fc.array(fc.constantFrom(...PIECES), { maxLength: 3 }),
        fc.boolean(),
        (place, before, after, onTop) => {
          const secret = `${before.join('')}${MARK}${after.join('')}`
          const text = onTop ? `${place}\n${VALID_PROJECT}` : VALID_PROJECT.replace('        web: false\n', `        ${place}\n`)
          const error = errorOf(() => parseProject(text, { ...VALID_ENVIRONMENT, SECRET: secret, OTHER: secret }))
          if (!(error instanceof ProjectFileError)) return
          expect(`${error.message}${error.stack}${JSON.stringify(error.issues)}${String(error.cause)}`).not.toContain(MARK)
        },
      ),
      { numRuns: 3000 },
    )
  })
})
