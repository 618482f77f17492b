import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { endLeftovers, openRecords } from '../../../src/server/containers/records.ts'
import { processIdentity } from '../../../src/server/process-identity.ts'

let folder: string
const started: number[] = []

beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'records-'))))
afterEach(() => {
  for (const pid of started.splice(0)) if (processIdentity(pid) !== undefined) process.kill(pid, 'SIGKILL')
  rmSync(folder, { recursive: true })
})

/** A process in a group of its own that waits. */
async function startOne(): Promise<number> {
  const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' })
  await once(child, 'spawn')
  started.push(child.pid ?? 0)
  return child.pid ?? 0
}

describe('the records of containers', () => {
  test('let a later start end what was left, paused or not', async () => {
    const [running, paused] = [await startOne(), await startOne()]
    const records = openRecords(folder)
    for (const pid of [running, paused]) records.add(pid)
    process.kill(paused, 'SIGSTOP')
    expect(await endLeftovers(folder)).toBe(2)
    expect([running, paused].map(pid => processIdentity(pid))).toEqual([undefined, undefined])
    expect(readdirSync(folder)).toEqual([])
    records.killAll()
  })

  test('leave a stranger alone who has the id by now', async () => {
    const stranger = await startOne()
    writeFileSync(join(folder, String(stranger)), 'another start')
    writeFileSync(join(folder, '1'), '')
    writeFileSync(join(folder, 'note'), 'text')
    expect(await endLeftovers(folder)).toBe(0)
    expect(processIdentity(stranger)).toBeDefined()
    expect(readdirSync(folder)).toEqual([])
  })

  test('end a process of theirs when it is told, and forget the others', async () => {
    const [kept, forgotten] = [await startOne(), await startOne()]
    const records = openRecords(folder)
    records.add(kept)
    records.add(forgotten)
    records.remove(forgotten)
    expect(readdirSync(folder)).toEqual([String(kept)])
    records.killAll()
    await expect.poll(() => processIdentity(kept), { timeout: 30_000 }).toBeUndefined()
    expect(processIdentity(forgotten)).toBeDefined()
    expect(readdirSync(folder)).toEqual([])
  })

  test('hold no process that has ended already, and no listener', () => {
    const listeners = process.listenerCount('exit')
    const records = openRecords(folder, () => undefined)
    records.add(1)
    expect(readdirSync(folder)).toEqual([])
    expect(process.listenerCount('exit')).toBe(listeners)
  })
})
