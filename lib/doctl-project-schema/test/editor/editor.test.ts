import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { VALID_PROJECT } from '../valid-project.ts'
import { startLanguageServer } from './language-server.ts'

const ROOT = join(import.meta.dirname, '../../../..')
const SCHEMA = 'lib/doctl-project-schema/project.schema.json'
const FIRST_LINE = `# yaml-language-server: $schema=${SCHEMA}\n`

let folder = ''
let editor: ReturnType<typeof startLanguageServer>
let opened = 0

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'project-editor-'))
  cpSync(join(ROOT, SCHEMA), join(folder, SCHEMA), { recursive: true })
  editor = startLanguageServer(folder)
})

afterAll(async () => {
  await editor.stop()
  rmSync(folder, { recursive: true })
})

/** Opens a text as a project file that points at the schema, and says what is marked, with the lines of the text itself. */
async function marked(text: string): Promise<string[]> {
  opened += 1
  const marks = await editor.marksOf(`project-${opened}.yml`, FIRST_LINE + text)
  return marks.map(({ line, column, message }) => `${line - 1}:${column} ${message}`)
}

const edited = (from: string, to: string) => VALID_PROJECT.replace(from, to)

describe('an editor with a YAML language server', () => {
  it('marks nothing in a file that has no first line, which shows that the line is what counts', async () => {
    expect(await editor.marksOf('other.yml', edited('web: false', 'web: maybe'))).toEqual([])
  })

  it.each([
    ['the valid project', VALID_PROJECT],
    ['a dictionary in the place of a map', edited('environment:\n          <<: $(', 'environment: $(')],
    ['a dictionary beside literal keys', edited('<<: $(', 'A: a\n          <<: $(')],
    ['limits through an alias', VALID_PROJECT.replace('limits: {', 'limits: &a {').replace('limits: { timeout: 60000, memory: 256 }', 'limits: *a')],
    ['a merge of limits', VALID_PROJECT.replace('limits: {', 'limits: &a {').replace('limits: { timeout: 60000,', 'limits: { <<: *a,')],
    ['a sequence without a runtime', edited('runtime: nodejs:24\n        web: false', 'sequence: [api/health]\n        web: false')],
    [
      'a package with a binding',
      `${VALID_PROJECT}  - name: tools
    binding: { namespace: other, name: tools }
`,
    ],
    ['a type in small letters', edited('SCHEDULED', 'scheduled')],
    ['no secret', edited('web: false', 'web: true\n        webSecure: false')],
  ])('marks nothing in a good file: %s', async (_, text) => {
    expect(await marked(text)).toEqual([])
  })

  it.each([
    [
      'a key in the wrong case that is false',
      edited('web: false', 'web: false\n        websecure: false'),
      '26:9 Property websecure is not allowed.',
    ],
    ['a key of the wrong level', edited('  - name: ops\n', '  - name: ops\n    limits: {}\n'), '22:5 Property limits is not allowed.'],
    ['an unknown key of the project', edited('packages:', 'slice: 0\npackages:'), '1:1 Property slice is not allowed.'],
    ['another runtime', edited('nodejs:24', 'nodejs:18'), '5:18 Value must be "nodejs:24".'],
    ['no runtime', edited('        runtime: nodejs:24\n        web: false\n', '        web: false\n'), '23:9 Missing property "runtime".'],
    ['no web', edited('        web: false\n', ''), '23:9 Missing property "web".'],
    ['little memory', edited('memory: 256', 'memory: 64'), '7:43 Value is below the minimum of 128.'],
    ['a timeout in words', edited('60000', '60s'), '26:28 Incorrect type. Expected "integer".'],
    ['a number as a variable', edited('web: false', 'web: false\n        environment: { A: 1 }'), '26:27 Incorrect type. Expected "string".'],
    ['a word for a schedule', edited('"*/5 * * * *"', '"@daily"'), '19:21 '],
  ])('marks the place in a bad file: %s', async (_, text, expected) => {
    const marks = await marked(text)
    expect(marks).toHaveLength(1)
    expect(marks[0]).toContain(expected)
  })

  it('completes the keys of a function, without those that stand there', async () => {
    const text = FIRST_LINE + edited('        web: false\n', '        web: false\n        \n')
    await editor.marksOf('completion.yml', text)
    const keys = await editor.completionsAt('completion.yml', 27, 9)
    expect(keys).toEqual(expect.arrayContaining(['webSecure', 'environment', 'triggers', 'sequence']))
    expect(keys).not.toContain('web')
  })

  it('completes values', async () => {
    const text = FIRST_LINE + edited('web: false', 'web: ')
    await editor.marksOf('values.yml', text)
    expect(await editor.completionsAt('values.yml', 26, 14)).toEqual(expect.arrayContaining(['true', 'false', 'raw']))
  })

  it('explains a key', async () => {
    await editor.marksOf('hover.yml', FIRST_LINE + VALID_PROJECT)
    expect(await editor.hoverAt('hover.yml', 7, 10)).toContain('public, with the body as sent')
  })
})
