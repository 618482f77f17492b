import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mergeJson } from '../../src/upgrade/merge-json.ts'
import { mergeText } from '../../src/upgrade/merge-text.ts'

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`
const merged = (base: unknown, ours: unknown, theirs: unknown) => {
  const result = mergeJson(json(base), json(ours), json(theirs))
  return result === undefined ? undefined : { ...result, text: JSON.parse(result.text) as unknown }
}

describe('merging JSON', () => {
  it('takes the entries of both sides, in the order of ours', () => {
    const result = mergeJson(
      json({ scripts: { test: 'a' }, dependencies: { pg: '1' } }),
      json({ scripts: { test: 'a', mine: 'b' }, dependencies: { pg: '1', zod: '4' } }),
      json({ scripts: { build: 'c', test: 'a', sync: 'd' }, dependencies: { pg: '2' } }),
    )
    expect(result).toEqual({
      text: json({ scripts: { build: 'c', test: 'a', sync: 'd', mine: 'b' }, dependencies: { pg: '2', zod: '4' } }),
      conflicts: [],
      absent: [],
    })
  })

  it('merges lists of texts as sets', () => {
    expect(merged({ w: ['a', 'b'] }, { w: ['a', 'b', 'mine'] }, { w: ['a', 'new'] })?.text).toEqual({ w: ['a', 'new', 'mine'] })
  })

  it('removes what either side removed', () => {
    expect(merged({ a: 1, b: 1, c: 1 }, { b: 1, c: 1 }, { a: 1, c: 1 })).toEqual({ text: { c: 1 }, conflicts: [], absent: [] })
  })

  it('keeps what was removed here away and names it when it changed', () => {
    expect(merged({ d: { pg: '1' } }, { d: {} }, { d: { pg: '2' } })).toEqual({ text: { d: {} }, conflicts: [], absent: ['d.pg'] })
  })

  it('keeps ours and names both where they differ', () => {
    expect(merged({ d: { pg: '1' } }, { d: { pg: '3' } }, { d: { pg: '2' } })).toEqual({
      text: { d: { pg: '3' } },
      conflicts: ['d.pg: yours "3", the new version "2"'],
      absent: [],
    })
    expect(merged({ pg: '1' }, { pg: '3' }, {})?.conflicts).toEqual(['pg: yours "3", the new version has none'])
  })

  it('keeps indentation and the missing end of line', () => {
    expect(mergeJson('{\n    "a": 1\n}', '{\n    "a": 1,\n    "b": 1\n}', '{\n    "a": 2\n}')?.text).toBe('{\n    "a": 2,\n    "b": 1\n}')
  })

  it.each(['[1]', '{ // comment\n}', 'null', ''])('leaves what is no object to the text: %s', text => {
    expect(mergeJson('{}', text, '{}')).toBeUndefined()
  })
})

const lines = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 8 }).map(list => list.join('\n'))
const merge = (base: string | undefined, ours: string, theirs: string) => mergeText({ base, ours, theirs, entries: undefined, version: '2' })

describe('merging texts', () => {
  it('is the other side, when one side changed nothing', () => {
    fc.assert(
      fc.property(lines, lines, (base, changed) => {
        expect(merge(base, base, changed)).toEqual({ text: changed, conflicts: 0 })
        expect(merge(base, changed, base)).toEqual({ text: changed, conflicts: 0 })
        expect(merge(base, changed, changed)).toEqual({ text: changed, conflicts: 0 })
      }),
    )
  })

  it.each([
    ['- $(A)', '- $(A)\n- $(MINE)', '- $(A)\n- $(NEW)', '- $(A)\n- $(MINE)\n- $(NEW)'],
    ['- $(A)', '- $(A)\nmemory: 1', '- $(A)\n- $(NEW)', undefined],
    ['- $(A)', '- $(B)', '- $(C)', undefined],
  ])('keeps the entries that both sides add to the list %s', (base, ours, theirs, expected) => {
    const { text, conflicts } = mergeText({ base, ours, theirs, entries: /^- \$\(\w+\)$/, version: '2' })
    expect(conflicts === 0 ? text : undefined).toBe(expected)
    expect(merge(base, ours, theirs).conflicts).toBe(1)
  })

  it('has a side whole, when the marks are resolved for it', () => {
    fc.assert(
      fc.property(lines, lines, (ours, theirs) => {
        const { text } = merge(undefined, ours, theirs)
        const resolved = (side: 'ours' | 'theirs') => {
          let within: 'ours' | 'theirs' | undefined
          const kept = text.split('\n').filter(line => {
            if (line.startsWith('<<<<<<< ')) within = 'ours'
            else if (line === '=======') within = 'theirs'
            else if (line.startsWith('>>>>>>> ')) within = undefined
            else return within === undefined || within === side
            return false
          })
          return kept.join('\n')
        }
        expect([resolved('ours'), resolved('theirs')]).toEqual([ours, theirs])
      }),
    )
  })
})
