import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { useNpmStart } from './support/npm-start.ts'

const stage = useNpmStart()
const mounted: string[] = []
const CHOOSE = 'choose another folder with LOCAL_DATA_FOLDER=… npm start'

afterEach(() => {
  for (const folder of mounted.splice(0)) spawnSync('umount', [folder])
})

/** Mounts a file system in memory; tells whether that is possible here. */
function mount(folder: string, options: string): boolean {
  mkdirSync(folder)
  const done = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]).status === 0
  if (done) mounted.push(folder)
  else console.warn('SKIPPED: a data folder that is read-only or full, because no file system can be mounted here')
  return done
}

async function startOn(folder: string): Promise<string> {
  const server = stage.launch({ environment: { LOCAL_DATA_FOLDER: folder } })
  expect(await server.ends()).toEqual({ code: 1, signal: null })
  return server.output().trimEnd().split('\n').at(-1) ?? ''
}

describe('a start whose data folder cannot be used', () => {
  test('says so for a read-only file system', async () => {
    const folder = join(stage.data, 'closed')
    if (!mount(folder, 'ro,size=1m')) return
    expect(await startOn(folder)).toBe(`The data folder ${folder} cannot be written: ${CHOOSE}`)
  })

  test('says so for a disk that is full', async () => {
    const folder = join(stage.data, 'small')
    if (!mount(folder, 'size=20m,mode=755')) return
    expect(await startOn(folder)).toBe(`The disk of the data folder ${folder} is full: free some of it, or ${CHOOSE}`)
  })

  test('says so for a file in its place, and for one above it', async () => {
    const file = join(stage.data, 'file')
    writeFileSync(file, '')
    expect(await startOn(file)).toBe(`The data folder ${file} is not a folder: ${CHOOSE}`)
    expect(await startOn(join(file, 'below'))).toBe(`The data folder ${join(file, 'below')} is not a folder: ${CHOOSE}`)
  })
})
