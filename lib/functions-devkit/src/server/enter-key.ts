import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { type Readable } from 'node:stream'

/**
 * Calls back for each line on the input, for as long as it is open. A closed input ends nothing. In the background
 * of a terminal the input is left alone: reading it would stop the whole process.
 */
export function onEnter(input: Readable & { readonly isTTY?: boolean }, callback: () => void): void {
  if (input.isTTY === true && !isInForeground()) return
  input.on('error', () => {})
  createInterface({ input, terminal: false }).on('line', callback)
}

function isInForeground(): boolean {
  try {
    const [, , group, , , terminalGroup] = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return group === terminalGroup
  } catch {
    // No /proc: most likely somebody sits in front of it.
    return true
  }
}
