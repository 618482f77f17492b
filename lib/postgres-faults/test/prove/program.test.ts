import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { processesOf } from '../../../functions-devkit/test/support/npm-start.ts'
import { readHistories } from '../../src/prove/history.ts'

const PROGRAM = join(import.meta.dirname, '../../bin/prove.mjs')
const MEMORY = '/dev/shm'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'prove-test-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Starts the program with the folder for its temporary files. */
function start(...words: string[]) {
  const child = spawn(process.execPath, [PROGRAM, ...words], { env: { ...process.env, TMPDIR: folder }, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text))
  return { child, output, exit: once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]> }
}

function nothingIsLeftOf(pid: number | undefined): void {
  expect(readdirSync(folder).filter(name => name.startsWith('prove-') || name.startsWith('pgbouncer-'))).toEqual([])
  expect(processesOf(folder)).toEqual([])
  if (existsSync(MEMORY)) expect(readdirSync(MEMORY).filter(name => name.includes(`-${pid}-`))).toEqual([])
}

describe('prove', () => {
  it('prints the number first, the totals last, and writes histories', async () => {
    const file = join(folder, 'runs.jsonl')
    const { child, output, exit } = start('--through', 'direct', '--points', '1-2', '--faults', 'closed,client killed', '--history', file)
    expect([await exit, output.stderr.includes('Error')]).toEqual([[0, null], false])
    const lines = output.stdout.trimEnd().split('\n')
    expect(lines[0]).toMatch(/^webhook applied, direct: \d+ messages, \d+ cut points$/)
    expect(lines[1]).toBe('2 cut points, closed, client killed: 4 runs')
    expect(lines.at(-1)).toBe('2 of 2 cut points: 0 lost, 0 twice, 0 hung')
    expect(readHistories(readFileSync(file, 'utf8')).map(({ operation }) => operation)).toEqual(Array(4).fill('webhook applied'))
    nothingIsLeftOf(child.pid)
  })

  it('ends on Ctrl-C, reports what was done and leaves nothing', async () => {
    const file = join(folder, 'runs.jsonl')
    const { child, output, exit } = start('--through', 'direct', '--history', file)
    const runs = () => (existsSync(file) ? readHistories(readFileSync(file, 'utf8')).length : 0)
    await expect.poll(runs, { timeout: 50_000 }).toBeGreaterThan(0)
    child.kill('SIGINT')
    expect(await exit).toEqual([1, null])
    expect(output.stdout.trimEnd().split('\n').at(-1)).toMatch(/^\d+ of \d+ cut points: 0 lost, 0 twice, 0 hung/)
    expect(output.stdout).toMatch(/^Ended early: \d+ runs in /m)
    nothingIsLeftOf(child.pid)
  })

  it('refuses an operation that is not there', async () => {
    const { output, exit } = start('--only', 'nothing')
    expect(await exit).toEqual([2, null])
    expect(output).toEqual({ stdout: '', stderr: "There is no operation 'nothing': there are webhook applied\n" })
  })
})
