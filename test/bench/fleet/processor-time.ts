import { readdirSync, readFileSync } from 'node:fs'

// What the kernel counts in, on every Linux that Node runs on.
const TICK_MS = 10

/** Processor time, in ms, that a process, its children and the children it has already buried have used; undefined without /proc. */
export function processorTimeOf(pid: number): number | undefined {
  const parent = readStat(String(pid))
  if (parent === undefined) return undefined
  const children = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(readStat)
    .filter(stat => stat?.parent === pid)
  return parent.ownMs + parent.buriedMs + children.reduce((sum, stat) => sum + (stat?.ownMs ?? 0), 0)
}

function readStat(pid: string): { parent: number; ownMs: number; buriedMs: number } | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  // The name in front may hold blanks and brackets.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  const [, parent = 0, user = 0, system = 0, buriedUser = 0, buriedSystem = 0] = [0, 1, 11, 12, 13, 14].map(index => fields[index])
  return { parent, ownMs: (user + system) * TICK_MS, buriedMs: (buriedUser + buriedSystem) * TICK_MS }
}
