import { type Edit, inFunction, inProject, VALID_PROJECT } from '../valid-project.ts'
import { bad } from './case.ts'

const ENV = 'packages[1].functions[0].environment'
const whole = (text: string): Edit => [VALID_PROJECT, text]

/** Lists that each hold the one before. */
function chain(length: number): string {
  return Array.from({ length }, (_, index) => `a${index + 1}: &a${index + 1} [*a${index}]`).join(', ')
}

export const TEXT_CASES = [
  bad('an unset variable', inFunction('main: ${UNSET}'), 'unresolved-variable', ''),
  bad('an unset variable in a comment', inFunction('# set ${UNSET} first'), 'unresolved-variable', ''),
  bad('a command substitution in a comment', inFunction('# built $(date)'), 'unresolved-variable', ''),
  bad('an empty variable', inFunction('main: ${EMPTY}'), 'unresolved-variable', '', { env: { EMPTY: '' } }),
  bad('a default as in the shell', inFunction('main: ${MAIN:-main}'), 'reference-name', '', { env: { MAIN: 'main' } }),
  bad('a dictionary with one unset name', inFunction('environment: $(LOG_LEVEL UNSET)'), 'unresolved-variable', ''),
  bad('a reference without a name', inFunction('main: ${}'), 'reference-name', ''),
  bad('raw lines of a variable', inFunction('main: ${|PEM}'), 'yaml-syntax', '', { line: 27, env: { PEM: 'a\nb: c' } }),
  bad('a reference within a reference', inFunction('main: ${${MAIN}}'), 'reference-name', '', { env: { MAIN: 'main' } }),
  bad('a dictionary with commas', inFunction('environment: $(LOG_LEVEL, PEM)'), 'reference-name', '', { env: { PEM: 'a' } }),
  bad('a variable named like a method of every object', inFunction('main: ${toString}'), 'unresolved-variable', ''),
  bad('a reference that is never closed', ['limits: { timeout: 60000, memory: 256 }', 'main: ${MAIN'], 'unclosed-substitution', ''),
  bad('a dictionary that is never closed', ['limits: { timeout: 60000, memory: 256 }', 'environment: $(LOG_LEVEL'], 'unclosed-substitution', ''),
  bad('a reference to a file', inFunction('environment: ${<.env.production}'), 'file-substitution', ''),
  bad('a tab as indentation', ['        web: false\n', '\tweb: false\n'], 'tab', ''),
  bad('a tab in a comment', inFunction('#\tcomment'), 'tab', ''),
  bad('a tab in a quoted value', inFunction('main: "a\tb"'), 'tab', ''),
  bad('a tab in a substituted value', inFunction('environment: { A: "${TABBED}" }'), 'tab-in-value', '', { env: { TABBED: 'a\tb' } }),
  bad('an empty text', whole(''), 'empty-file', '', { line: 'none' }),
  bad('a text of comments only', whole('# nothing yet\n'), 'empty-file', '', { line: 'none' }),
  bad('a text that is false', whole('false\n'), 'empty-file', '', { line: 'none' }),
  bad('a text that is 0', whole('0\n'), 'empty-file', '', { line: 'none' }),
  bad('a map that is never closed', ['limits: { timeout: 60000, memory: 256 }', 'limits: { timeout: 60000'], 'yaml-syntax', '', { line: 27 }),
  bad('a line indented to nowhere', ['        web: false\n', '       web: false\n'], 'yaml-syntax', ''),
  bad('an alias without an anchor', inFunction('limits2: *none'), 'yaml-syntax', ''),
  bad('an unknown tag', inFunction('main: !secret main'), 'yaml-syntax', '', { line: 26 }),
  bad('JavaScript in a tag', inFunction('main: !!js/function "function () {}"'), 'yaml-syntax', '', { line: 26 }),
  bad('a merge of something that is not a map', inFunction('environment: { <<: text }'), 'yaml-syntax', ''),
  bad('an unquoted value that begins with @', inFunction('environment: { A: ${AT} }'), 'yaml-syntax', '', { env: { AT: '@home' } }),
  bad('a substituted value with a quote inside quotes', inFunction('environment: { A: "${QUOTED}" }'), 'yaml-syntax', '', { env: { QUOTED: 'a"b' } }),
  bad('a substituted value with an unknown escape', inFunction('environment: { A: "${DIGITS}" }'), 'yaml-syntax', '', { env: { DIGITS: '\\d+' } }),
  bad('an unquoted substituted value with a colon inside', inFunction('main: ${COLON}'), 'yaml-syntax', '', { env: { COLON: 'a: b' } }),
  bad('a key written twice', inFunction('web: true'), 'duplicate-key', ''),
  bad('a variable written twice', inFunction('environment: { A: a, A: b }'), 'duplicate-key', ''),
  bad('two documents', ['        limits: { timeout: 60000, memory: 256 }\n', '---\npackages: []\n'], 'several-documents', ''),
  bad('two documents, each begun by its mark', whole(`# ---\n---\n${VALID_PROJECT}--- # again\na: 1\n`), 'several-documents', '', {
    line: VALID_PROJECT.split('\n').length + 2,
  }),
  bad('a thousand nested lists', inFunction(`parameters: { a: ${'['.repeat(1000)}${']'.repeat(1000)} }`), 'yaml-nesting', '', { line: 'none' }),
  bad('aliases that nest in each other', inFunction(`parameters: { a0: &a0 [], ${chain(150)} }`), 'yaml-nesting', '', { line: 'none' }),
  bad('a million open brackets', whole('['.repeat(1_000_000)), 'yaml-nesting', '', { line: 'none' }),
  bad('a value that contains itself', inFunction('parameters: &p { again: *p }'), 'yaml-cycle', '', { line: 'none' }),
  bad('a key that replaces a prototype', inFunction('parameters: { __proto__: { a: 1 } }'), 'unsafe-key', '', { line: 'none' }),
  bad('a variable that replaces a prototype', inFunction('environment: { __proto__: x }'), 'unsafe-key', '', { line: 'none' }),

  bad('a number from an unquoted variable', inFunction('environment: { A: ${NUMBER} }'), 'environment-value', `${ENV}.A`, { env: { NUMBER: '123' } }),
  bad('a boolean from an unquoted variable', inFunction('environment: { A: ${WORD} }'), 'environment-value', `${ENV}.A`, { env: { WORD: 'true' } }),
  bad('a date from an unquoted variable', inFunction('environment: { A: ${DAY} }'), 'environment-value', `${ENV}.A`, { env: { DAY: '2024-02-29' } }),
  bad('an anchor holder whose name comes from a variable', inProject('${HOLDER}: 1'), 'unknown-key', '[(substituted)]', {
    env: { HOLDER: 'hushed' },
  }),
]
