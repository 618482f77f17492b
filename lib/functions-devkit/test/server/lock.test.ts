import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { takeLock } from '../../src/server/lock.ts'
import { processIdentity } from '../../src/server/process-identity.ts'

let folder: string
/** Which processes run, and since when. */
let processes: Map<number, string>

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'))
  processes = new Map([
    [100, 'monday'],
    [200, 'tuesday'],
  ])
})

afterEach(() => rmSync(folder, { recursive: true }))

function take(pid: number) {
  return takeLock({ folder, pid, identityOf: id => processes.get(id) })
}

function taken(pid: number) {
  const attempt = take(pid)
  if (attempt.outcome === 'held') throw new Error(`held by ${attempt.holder.pid}`)
  return attempt.lock
}

describe('the start lock', () => {
  test('lets one process in and names it to the next', () => {
    taken(100).announce({ address: 'http://127.0.0.1:8080' })
    expect(take(200)).toEqual({ outcome: 'held', holder: { pid: 100, identity: 'monday', address: 'http://127.0.0.1:8080' } })
  })

  test('is free again once it is released, and leaves no file', () => {
    taken(100).release()
    expect(readdirSync(folder)).toEqual([])
    expect(take(200).outcome).toBe('locked')
  })

  test('is taken over from a process that is gone', () => {
    taken(100)
    processes.delete(100)
    expect(take(200).outcome).toBe('locked')
    expect(readdirSync(folder)).toEqual(['start.lock'])
  })

  test('is taken over when another program has the process id now', () => {
    taken(100)
    processes.set(100, 'wednesday')
    expect(take(200).outcome).toBe('locked')
  })

  test('is taken over from a file that is no lock', () => {
    writeFileSync(join(folder, 'start.lock'), 'rubbish')
    expect(take(100).outcome).toBe('locked')
  })

  test('is not released by a process that lost it', () => {
    const lost = taken(100)
    rmSync(join(folder, 'start.lock'))
    taken(200)
    lost.release()
    expect(existsSync(join(folder, 'start.lock'))).toBe(true)
  })

  test('can be released twice', () => {
    const lock = taken(100)
    lock.release()
    expect(() => lock.release()).not.toThrow()
  })

  test('is readable by its owner alone', () => {
    taken(100)
    expect(statSync(join(folder, 'start.lock')).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(folder, 'start.lock'), 'utf8')).toContain('"pid":100')
  })
})

describe('the identity of a process', () => {
  test('stays the same while it runs', () => {
    expect(processIdentity(process.pid)).toBe(processIdentity(process.pid))
    expect(processIdentity(process.pid)).not.toBe('')
  })

  test('is undefined for one that has ended', () => {
    const { pid } = spawnSync(process.execPath, ['-e', ''])
    expect(processIdentity(pid)).toBeUndefined()
  })
})
