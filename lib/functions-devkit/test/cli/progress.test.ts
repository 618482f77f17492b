import { describe, expect, it } from 'vitest'
import { createProgress, followParts, NO_PROGRESS, type Progress } from '../../src/cli/progress.ts'

/** A stream that keeps what is written to it. */
function stream({ isTTY }: { readonly isTTY: boolean }) {
  let text = ''
  const methods = Object.fromEntries(['cursorTo', 'clearLine', 'moveCursor', 'on', 'once', 'off'].map(name => [name, () => true]))
  const fake = { ...methods, isTTY, columns: 80, write: (piece: string) => ((text += piece), true) } as unknown as NodeJS.WriteStream
  return { fake, text: () => text }
}

describe('progress without a terminal', () => {
  it('is one plain line for each step', () => {
    const { fake, text } = stream({ isTTY: false })
    const progress = createProgress({ stream: fake })
    progress.step('building')
    progress.step('building')
    progress.above(() => fake.write('result\n'))
    progress.line('proving')
    progress.end()
    progress.step('late')
    expect(text()).toBe('building\nresult\nproving\n')
  })

  it('says which parts are left, and how many have ended', async () => {
    const said: string[] = []
    const progress: Progress = { ...NO_PROGRESS, step: what => void said.push(what) }
    const part = followParts('checking', ['one', 'two', 'three'], progress)
    expect(await part('two', async () => 2)).toBe(2)
    await expect(part('one', async () => Promise.reject(new Error('fails')))).rejects.toThrow('fails')
    await part('three', async () => undefined)
    expect(said).toEqual(['checking: 0 of 3, now one, two, three', 'checking: 1 of 3, now one, three', 'checking: 2 of 3, now three'])
  })
})

describe('progress on a terminal', () => {
  it('shows the step and how long it takes, and is gone at the end', async () => {
    const { fake, text } = stream({ isTTY: true })
    let now = 0
    const progress = createProgress({ stream: fake, now: () => now })
    progress.step('building')
    now = 5_000
    progress.step('building')
    const shown = text()
    expect(shown).toContain('building (5 s)')
    progress.end()
    const ended = text()
    progress.step('late')
    expect(text()).toBe(ended)
  })
})
