import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { onKeys } from '../../src/server/keys.ts'

/** A terminal, and what came of the keys pressed on it. */
function terminal({ isForeground = true }: { isForeground?: boolean } = {}) {
  const came: string[] = []
  const raw: boolean[] = []
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (mode: boolean) => void raw.push(mode) })
  const key = (name: string) => ({ does: `does ${name}`, run: () => void came.push(name) })
  const keys = onKeys({
    input,
    keys: { Enter: key('Enter'), u: key('u') },
    print: text => void came.push(text),
    signal: name => void came.push(name),
    isForeground: () => isForeground,
  })
  return { came, raw, keys, press: (text: string) => void input.write(text), drained: () => new Promise(resolve => setImmediate(resolve)) }
}

it('runs the key that is pressed, in either case', async () => {
  const { came, press, drained, keys } = terminal()
  press('\r')
  press('uU')
  press('x')
  await drained()
  keys.end()
  expect(came).toEqual(['Enter', 'u', 'u'])
})

it('prints the keys at ?', async () => {
  const { came, press, drained, keys } = terminal()
  press('?')
  await drained()
  keys.end()
  expect(came.join()).toMatch(/Enter +does Enter\n {2}u +does u/)
})

it('signals as the terminal would outside of raw mode', async () => {
  const { came, raw, press, drained, keys } = terminal()
  press('\u0003')
  press('\u001a')
  await drained()
  keys.end()
  expect(came).toEqual(['SIGINT', 'SIGTSTP'])
  expect(raw).toEqual([true, false, false])
})

it('passes over arrow keys', async () => {
  const { came, press, drained, keys } = terminal()
  press('\u001b[u')
  await drained()
  keys.end()
  expect(came).toEqual([])
})

it('leaves the terminal as it was at the end', () => {
  const { raw, keys } = terminal()
  keys.end()
  expect(raw).toEqual([true, false])
})

it('leaves a terminal alone in whose background it runs', () => {
  const { raw, keys } = terminal({ isForeground: false })
  keys.end()
  expect(raw).toEqual([])
})

it('has Enter alone where the input is no terminal', async () => {
  const came: string[] = []
  const input = new PassThrough()
  const key = (name: string) => ({ does: name, run: () => void came.push(name) })
  onKeys({ input, keys: { Enter: key('Enter'), s: key('s') }, print: text => void came.push(text) })
  input.end('\ns\n?\n')
  await new Promise(resolve => input.once('close', resolve))
  expect(new Set(came)).toEqual(new Set(['Enter']))
})
