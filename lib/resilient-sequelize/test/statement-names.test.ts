import { describe, expect, it } from 'vitest'
import { StatementNames } from '../src/wire/statement-names.ts'

describe('StatementNames', () => {
  it('names a text from the second time on, and always the same', () => {
    const names = new StatementNames()
    expect([names.of('a'), names.of('a'), names.of('a')]).toEqual([undefined, 'named_1', 'named_1'])
  })

  it('gives a text another name when the first was never answered', () => {
    const names = new StatementNames()
    names.of('a')
    names.of('a')
    names.settle('a', false)
    expect(names.of('a')).toBe('named_2')
  })

  it('keeps a name that was answered once, whatever comes of it later', () => {
    const names = new StatementNames()
    names.of('a')
    names.of('a')
    names.settle('a', true)
    names.settle('a', false)
    expect(names.of('a')).toBe('named_1')
  })

  it('gives a hundred names and no more, and forgets none of them', () => {
    const names = new StatementNames()
    const texts = Array.from({ length: 2_000 }, (_, index) => `text ${index}`)
    for (const text of texts) names.of(text)
    expect(new Set(texts.map(text => names.of(text)).filter(name => name !== undefined)).size).toBe(100)
    expect(names.of('text 0')).toBe('named_1')
  })
})
