import fs from 'node:fs'
import { vi } from 'vitest'

const STANDARD_OUTPUT = 1

/** Runs `work` and gathers the lines that functions log meanwhile, which write to the standard output themselves. */
export async function gatherLogLines(work: () => Promise<void>): Promise<Record<string, unknown>[]> {
  const lines: Record<string, unknown>[] = []
  const write = fs.writeSync
  const spy = vi.spyOn(fs, 'writeSync').mockImplementation(((fd: number, text: string, ...rest: never[]) => {
    if (fd !== STANDARD_OUTPUT) return write(fd, text, ...rest)
    for (const line of text.split('\n').filter(Boolean)) lines.push(JSON.parse(line) as Record<string, unknown>)
    return Buffer.byteLength(text)
  }) as typeof fs.writeSync)
  try {
    await work()
  } finally {
    spy.mockRestore()
  }
  return lines
}
