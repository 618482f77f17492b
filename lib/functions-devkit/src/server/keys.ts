import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { type Readable } from 'node:stream'

/** What one key does. */
export interface Key {
  readonly does: string
  run(): void
}

export interface KeysOptions {
  readonly input: Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown }
  /** By key; `Enter` is one. */
  readonly keys: Readonly<Record<string, Key>>
  readonly print: (text: string) => void
  /** Sends a signal to the group of processes in the foreground, as a terminal does by itself outside of raw mode. */
  readonly signal?: (name: NodeJS.Signals) => void
  readonly isForeground?: () => boolean
}

const SIGNALS: Readonly<Record<string, NodeJS.Signals>> = { '\u0003': 'SIGINT', '\u001a': 'SIGTSTP', '\u001c': 'SIGQUIT' }

/**
 * Runs what keys stand for, for as long as the input is open; `?` prints them. A closed input ends nothing. Input that is no
 * terminal has Enter alone. In the background of a terminal the input is left alone: reading it would stop the whole process.
 */
export function onKeys({ input, keys, print, signal = name => void process.kill(0, name), isForeground = isInForeground }: KeysOptions): {
  end(): void
} {
  input.on('error', () => {})
  if (input.isTTY !== true || input.setRawMode === undefined) {
    createInterface({ input, terminal: false }).on('line', () => keys.Enter?.run())
    return { end: () => undefined }
  }
  if (!isForeground()) return { end: () => undefined }
  const setRaw = (raw: boolean) => void input.setRawMode?.(raw)
  const again = () => setRaw(isForeground())

  function press(character: string): void {
    const name = SIGNALS[character]
    if (name !== undefined) {
      // A shell that takes over the terminal meanwhile expects it as it was.
      if (name === 'SIGTSTP') setRaw(false)
      return signal(name)
    }
    if (character === '?') return print(describeKeys(keys))
    const key = character === '\r' || character === '\n' ? 'Enter' : character.toLowerCase()
    if (Object.hasOwn(keys, key)) keys[key]?.run()
  }

  setRaw(true)
  process.on('SIGCONT', again)
  const end = () => {
    process.off('SIGCONT', again)
    setRaw(false)
  }
  process.once('exit', end)
  // One character is one key; an arrow key is several, and none of them is ours.
  input.setEncoding('utf8').on('data', (text: string) => {
    if (!text.startsWith('\u001b')) [...text].forEach(press)
  })
  return { end }
}

/** Returns the keys and what they do, a line each. */
export function describeKeys(keys: KeysOptions['keys']): string {
  return [...Object.entries(keys).map(([name, { does }]) => `  ${name.padEnd(5)}  ${does}`), '  ?      these keys', '  Ctrl-C ends it'].join('\n')
}

function isInForeground(): boolean {
  try {
    const [, , group, , , terminalGroup] = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return group === terminalGroup
  } catch {
    // No /proc: most likely the process is in the foreground.
    return true
  }
}
