import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openLogFile, type LogFile } from '../../../src/server/host/log-file.ts'

let folder: string
let told: string[]
let opened: LogFile[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'log-file-'))
  told = []
  opened = []
})

afterEach(async () => {
  for (const file of opened) await file.end()
  rmSync(folder, { recursive: true })
})

function open(path: string, retryMs = 20): LogFile {
  const file = openLogFile({ path, retryMs, onChange: (state, code) => told.push(code === undefined ? state : `${state} ${code}`) })
  opened.push(file)
  return file
}

const holds = async (path: string, text: string) => {
  while (!existsSync(path) || readFileSync(path, 'utf8') !== text) await sleep(5)
  return readFileSync(path, 'utf8')
}

const says = async (text: string) => {
  while (!told.includes(text)) await sleep(5)
}

describe('a log file', () => {
  test('makes its folder, and nobody but owner and group may read either', async () => {
    const path = join(folder, 'logs', 'deep', 'app.log')
    open(path).write('one\n')
    expect(await holds(path, 'one\n')).toBe('one\n')
    expect(statSync(path).mode & 0o777).toBe(0o640)
    expect(statSync(join(folder, 'logs')).mode & 0o777).toBe(0o750)
  })

  test('is written on where it ended', async () => {
    const path = join(folder, 'app.log')
    writeFileSync(path, 'before\n')
    open(path).write('after\n')
    expect(await holds(path, 'before\nafter\n')).toContain('before\nafter')
  })

  test('goes on under its name once it is opened again after it was renamed, and loses no line', async () => {
    const path = join(folder, 'app.log')
    const file = open(path)
    for (let line = 1; line <= 300; line += 1) {
      if (line === 150) {
        await holds(path, numbers(1, 149))
        renameSync(path, `${path}.1`)
        file.write('150\n')
        await holds(`${path}.1`, numbers(1, 150))
        file.reopen()
        continue
      }
      file.write(`${line}\n`)
    }
    const later = () => (existsSync(path) ? readFileSync(path, 'utf8') : '')
    while (!later().endsWith('300\n')) await sleep(5)
    expect(readFileSync(`${path}.1`, 'utf8') + later()).toBe(numbers(1, 300))
    expect(told).toEqual([])
  })

  test('says once that the disk is full, and never stops the writer', async () => {
    const file = open('/dev/full')
    for (let line = 0; line < 1_000; line += 1) file.write(`${line}\n`)
    await says('failing ENOSPC')
    for (let line = 0; line < 1_000; line += 1) file.write(`${line}\n`)
    await sleep(100)
    expect(told).toEqual(['failing ENOSPC'])
  })

  test('that cannot be opened has the lines that waited once it can', async () => {
    const obstacle = join(folder, 'logs')
    writeFileSync(obstacle, '')
    const path = join(obstacle, 'app.log')
    const file = open(path)
    file.write('early\n')
    rmSync(obstacle)
    await says('written')
    expect(readFileSync(path, 'utf8')).toBe('early\n')
    expect(told).toEqual(['failing EEXIST', 'written'])
  })

  test('that cannot be opened again goes on where it was', async () => {
    const path = join(folder, 'logs', 'app.log')
    const file = open(path, 60_000)
    file.write('before\n')
    await holds(path, 'before\n')
    const [aside, moved] = [join(folder, 'aside'), join(folder, 'aside', 'app.log')]
    renameSync(join(folder, 'logs'), aside)
    writeFileSync(join(folder, 'logs'), '')
    file.reopen()
    file.write('after\n')
    await holds(moved, 'before\nafter\n')
    expect(told[0]).toBe('failing EEXIST')
  })

  test('may be a pipe: one that nobody reads keeps nobody waiting', async () => {
    const path = join(folder, 'pipe')
    execFileSync('mkfifo', [path])
    const script = `
      const { openLogFile } = await import(${JSON.stringify(join(import.meta.dirname, '../../../src/server/host/log-file.ts'))})
      const file = openLogFile({ path: ${JSON.stringify(path)}, retryMs: 20, onChange: (state, code) => console.log(state, code ?? '') })
      file.write('line\\n')
      setTimeout(() => void file.end(), 1_000)`
    const writer = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'], timeout: 5_000 })
    const end = once(writer, 'close')
    const printed = once(writer.stdout, 'data').then(
      ([data]) => String(data),
      () => 'nothing',
    )
    const first = await Promise.race([printed, end.then(() => 'nothing')])
    const reader = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'inherit'] })
    const read = text(reader.stdout)
    await end
    reader.kill()
    expect(first).toBe('failing ENXIO\n')
    expect(await read).toBe('line\n')
  })

  test('that cannot be opened again says so once, however much is written where it was', async () => {
    const path = join(folder, 'logs', 'app.log')
    const file = open(path, 10)
    file.write('0\n')
    await holds(path, '0\n')
    const moved = join(folder, 'aside', 'app.log')
    renameSync(join(folder, 'logs'), join(folder, 'aside'))
    writeFileSync(join(folder, 'logs'), '')
    file.reopen()
    for (let line = 1; line < 10; line += 1) {
      file.write(`${line}\n`)
      await holds(moved, numbers(0, line))
      await sleep(20)
    }
    expect(told).toEqual(['failing EEXIST'])
    rmSync(join(folder, 'logs'))
    while (!existsSync(path)) await sleep(5)
    file.write('10\n')
    await holds(path, '10\n')
    await says('written')
    expect(told).toEqual(['failing EEXIST', 'written'])
  })

  test('keeps what fits into memory while the disk is full, and ends all the same', async () => {
    const file = open('/dev/full', 60_000)
    for (let count = 0; count < 200; count += 1) file.write('x'.repeat(100_000))
    await says('failing ENOSPC')
    await file.end()
    expect(told).toEqual(['failing ENOSPC'])
  })
})

function numbers(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, index) => `${from + index}\n`).join('')
}
