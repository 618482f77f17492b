import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type MigrationState } from '../../src/cli/migrate/state.ts'
import { createAnnouncements } from '../../src/server/announcements.ts'
import { followMigrations, type MigrationChanges } from '../../src/server/migration-changes.ts'

const FOLDER = 'lib/app/migrations'
const CHANGED = 'Migration a has changed since it was applied: npm run migrate -- reset --local empties the database'
const PENDING = 'Migration a is not applied: npm run migrate -- up --local'

let checkout: string
let lines: string[]
let changes: MigrationChanges
/** What the database has applied, and what the files are by that. */
let applied: string | undefined
let states: Pick<MigrationState, 'state'>[] | undefined

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'migration-changes-'))
  lines = []
  applied = 'at first'
  states = []
  mkdirSync(join(checkout, FOLDER), { recursive: true })
  save('first')
  changes = followMigrations({
    checkout,
    database: { DB_MIGRATION_URL: undefined, DB_SCHEMA: undefined },
    environment: {},
    announce: createAnnouncements(line => void lines.push(line)),
    readStates: async () => states?.map(({ state }) => ({ name: 'a', state, breaking: false, appliedAt: undefined })),
    readStand: async () => applied,
  })
})

afterEach(() => {
  changes.end()
  rmSync(checkout, { recursive: true })
})

function save(text: string): void {
  writeFileSync(join(checkout, FOLDER, 'a.ts'), text)
}

async function look(state?: MigrationState['state']): Promise<void> {
  states = state === undefined ? [] : [{ state }]
  await changes.look()
}

test('a migration that is changed, reset and changed again is announced twice', async () => {
  save('second')
  await look('changed')
  save('third')
  await look('changed')
  expect(lines).toEqual([CHANGED])
  applied = 'after a reset'
  await look()
  save('fourth')
  await look('changed')
  expect(lines).toEqual([CHANGED, CHANGED])
})

test('a reset and a change that show together are announced', async () => {
  save('second')
  await look('changed')
  applied = 'after a reset'
  save('third')
  await look('changed')
  expect(lines).toEqual([CHANGED, CHANGED])
})

test('one that is applied, and pending again, is announced twice', async () => {
  save('second')
  await look('pending')
  applied = 'after up'
  await look()
  applied = 'at first'
  save('third')
  await look('pending')
  expect(lines).toEqual([PENDING, PENDING])
})

test('nothing is taken back by a half written file or a silent database', async () => {
  save('second')
  await look('pending')
  save('half')
  states = undefined
  await changes.look()
  applied = undefined
  await changes.look()
  applied = 'at first'
  save('whole')
  await look('pending')
  expect(lines).toEqual([PENDING])
})

test('files that stay as they are announce nothing', async () => {
  applied = 'another'
  await look('pending')
  expect(lines).toEqual([])
})
