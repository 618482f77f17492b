import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { followChanges, type Changes } from '../../../src/build/watch/changes.ts'

let folder: string
let changes: Changes | undefined
let told: string[][]
let looks: number

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'changes-'))
  told = []
  looks = 0
  for (const name of ['a', 'b']) writeFileSync(file(name), name)
})
afterEach(() => {
  changes?.end()
  rmSync(folder, { recursive: true })
})

const file = (name: string) => join(folder, name)
const shortNames = (paths: ReadonlySet<string>) => [...paths].map(path => path.slice(folder.length + 1)).sort()

function follow(since: number, onChange: (paths: ReadonlySet<string>) => Promise<void> = async paths => void told.push(shortNames(paths))): void {
  for (const name of ['a', 'b']) utimesSync(file(name), 1, 1)
  changes = followChanges({ paths: () => ((looks += 1), [file('a'), file('b')]), onChange, since, everyMs: 5, settleMs: 5 })
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await sleep(2)
}

it('tells of a file that is written, and of no other', async () => {
  follow(Date.now())
  await until(() => looks > 0)
  writeFileSync(file('a'), 'more')
  await until(() => told.length > 0)
  expect(told).toEqual([['a']])
})

it('tells of a file that another took the place of', async () => {
  follow(Date.now())
  await until(() => looks > 0)
  writeFileSync(file('draft'), 'b')
  utimesSync(file('draft'), 1, 1)
  renameSync(file('draft'), file('b'))
  await until(() => told.length > 0)
  expect(told).toEqual([['b']])
})

it('tells of a file that changed before the first look', async () => {
  const since = Date.now()
  follow(since)
  writeFileSync(file('a'), 'more')
  await until(() => told.length > 0)
  expect(told).toEqual([['a']])
})

it('misses nothing that changes while a change is worked on', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  follow(Date.now(), async paths => {
    told.push(shortNames(paths))
    await promise
  })
  await until(() => looks > 0)
  writeFileSync(file('a'), 'more')
  await until(() => told.length > 0)
  writeFileSync(file('b'), 'more')
  resolve()
  await until(() => told.length > 1)
  expect(told).toEqual([['a'], ['b']])
})
