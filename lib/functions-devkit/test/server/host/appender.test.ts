import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createAppender } from '../../../src/server/host/appender.ts'

test('an appender that is given one descriptor after the other during a write lets go of each that it will not use', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'appender-'))
  const left: number[] = []
  const [first = 0, second = 0, third = 0] = ['1', '2', '3'].map(name => openSync(join(folder, name), 'a'))
  try {
    const appender = createAppender({ fd: first, largestBacklogBytes: 1_000, onFailed: expect.unreachable, onLeft: fd => void left.push(fd) })
    appender.add('one\n')
    appender.use(second)
    appender.use(third)
    appender.add('two\n')
    await appender.idle()
    expect(left.toSorted()).toEqual([first, second].toSorted())
    expect(readFileSync(join(folder, '3'), 'utf8')).toBe('two\n')
  } finally {
    for (const fd of [first, second, third]) closeSync(fd)
    rmSync(folder, { recursive: true })
  }
})
