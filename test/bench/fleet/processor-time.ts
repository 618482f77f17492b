import { readdirSync, readFileSync } from 'node:fs'

// What the kernel shows times in, on every Linux that Node runs on.
const TICK_MS = 10
const NS_PER_MS = 1e6

/** Processor time, in ms, that a process, its children and the children it has already buried have used; undefined without /proc. */
export function processorTimeOf(pid: number): number | undefined {
  const parent = readStat(String(pid))
  if (parent === undefined) return undefined
  const children = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(readStat)
    .filter(stat => stat?.parent === pid)
  return Math.round(parent.ownMs + parent.buriedMs + children.reduce((sum, stat) => sum + (stat?.ownMs ?? 0), 0))
}

function readStat(pid: string): { parent: number; ownMs: number; buriedMs: number } | undefined {
  let text: string
  let own: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // In ticks, a session that has only logged in would often have used no time at all.
    own = readFileSync(`/proc/${pid}/schedstat`, 'utf8')
  } catch {
    return undefined
  }
  // The name in front may hold blanks and brackets.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [parent, buriedUser, buriedSystem] = [1, 13, 14].map(index => Number(fields[index]))
  if (parent === undefined || buriedUser === undefined || buriedSystem === undefined) return undefined
  return { parent, ownMs: Number(own.split(' ')[0]) / NS_PER_MS, buriedMs: (buriedUser + buriedSystem) * TICK_MS }
}
