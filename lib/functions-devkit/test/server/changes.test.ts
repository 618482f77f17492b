import { EventEmitter } from 'node:events'
import fs, { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { watchChanges } from '../../src/server/changes.ts'
import { type Resource } from '../../src/server/shutdown.ts'

const HANDLERS = 'lib/app/webhooks/handlers'
const handler = (name: string) => `export const ${name} = defineHandler({ type: '${name}' })\n`

let checkout: string
let lines: string[]
let changes: Resource

function write(path: string, text: string): void {
  mkdirSync(dirname(join(checkout, path)), { recursive: true })
  writeFileSync(join(checkout, path), text)
}

// As on a network folder, of which the system says nothing.
const { watch } = fs
beforeAll(() => {
  fs.watch = (() => Object.assign(new EventEmitter(), { close: () => undefined })) as unknown as typeof watch
  syncBuiltinESMExports()
})

afterAll(() => {
  fs.watch = watch
  syncBuiltinESMExports()
})

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'changes-'))
  lines = []
  write('project.yml', 'packages: []\n')
  write(`${HANDLERS}/one.ts`, handler('one'))
  write('packages/api/user/index.ts', 'export const main = 1\n')
  const database = { DB_MIGRATION_URL: undefined, DB_SCHEMA: undefined }
  changes = watchChanges({ checkout, functions: ['api/user'], database, environment: {}, print: line => void lines.push(line) })
})

afterEach(async () => {
  await changes.end()
  rmSync(checkout, { recursive: true })
})

const shows = (line: string) => expect.poll(() => lines, { timeout: 10_000 }).toContain(line)

test('a change that needs a restart is announced once, and again after it was taken back', async () => {
  write('project.yml', 'packages: [] # changed\n')
  await shows('project.yml has changed: restart npm start')
  write('project.yml', 'packages: [] # changed again\n')
  write('packages/api/orders/index.ts', 'export const main = 1\n')
  await shows('packages/api/orders is new: restart npm start')
  write('project.yml', 'packages: []\n')
  write('packages/api/shops/index.ts', 'export const main = 1\n')
  await shows('packages/api/shops is new: restart npm start')
  expect(lines.filter(line => line.startsWith('project.yml'))).toHaveLength(1)
  write('project.yml', 'packages: [] # changed\n')
  await expect.poll(() => lines.filter(line => line.startsWith('project.yml')), { timeout: 10_000 }).toHaveLength(2)
})

test('an index is written when a file beside it comes', async () => {
  write(`${HANDLERS}/two.ts`, handler('two'))
  await shows(`written: ${HANDLERS}/index.ts`)
  expect(readFileSync(join(checkout, HANDLERS, 'index.ts'), 'utf8')).toContain("import { two } from './two.ts'")
})

test('an index is written when a file goes, or comes with an old time', async () => {
  write(`${HANDLERS}/two.ts`, handler('two'))
  await shows(`written: ${HANDLERS}/index.ts`)
  const index = () => readFileSync(join(checkout, HANDLERS, 'index.ts'), 'utf8')
  renameSync(join(checkout, HANDLERS, 'two.ts'), join(checkout, 'two.ts'))
  await expect.poll(index, { timeout: 10_000 }).not.toContain('two')
  renameSync(join(checkout, 'two.ts'), join(checkout, HANDLERS, 'two.ts'))
  await expect.poll(index, { timeout: 10_000 }).toContain('two')
})

test('a file that no index can list is named, and nothing is written', async () => {
  write(`${HANDLERS}/two.ts`, '// nothing yet\n')
  await expect.poll(() => lines.join('\n'), { timeout: 10_000 }).toContain(`${HANDLERS}/two.ts: exports no handler. Write`)
  expect(lines.filter(line => line.startsWith('written'))).toEqual([])
})

test('what is wrong with an index is announced again after it was mended', async () => {
  const told = () => lines.filter(line => line.startsWith(`${HANDLERS}/two.ts: exports no handler`)).length
  write(`${HANDLERS}/two.ts`, '// nothing yet\n')
  await expect.poll(told, { timeout: 10_000 }).toBe(1)
  write(`${HANDLERS}/two.ts`, handler('two'))
  await shows(`written: ${HANDLERS}/index.ts`)
  write(`${HANDLERS}/two.ts`, '// nothing again\n')
  await expect.poll(told, { timeout: 10_000 }).toBe(2)
})

test('what a build writes is no change', async () => {
  write('packages/api/user/dist/index.js', 'built')
  write('project.yml', 'packages: [] # changed\n')
  await shows('project.yml has changed: restart npm start')
  // The index of handlers was missing from the start, and is written with the first look.
  expect(lines.filter(line => !line.startsWith('written'))).toEqual(['project.yml has changed: restart npm start'])
})
