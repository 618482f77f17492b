import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Case } from './case.ts'
import { loadCases } from './catalog.ts'
import { knownBugs } from './known-bugs.ts'
import { openStage, type Pair } from './stage.ts'
import { canRun, casesOf, variants, type Variant } from './variants.ts'

// The comparison proves something only if it finds what is wrong: each fault here is put into the package on purpose.

const [everyday] = variants as [Variant]
const LEAST_CASES = 200
const LEAST_OF_GROUP = 15
const MOST_WORDS = 10
const cases = await loadCases()

/** Each fault with a case that finds it. */
const faults: readonly (readonly [fault: string, group: string, title: string])[] = [
  ['drops a row', 'finders', 'finds all rows as instances'],
  ['adds a row', 'raw', 'nests dotted columns'],
  ['turns dates into texts', 'types', 'reads dates of a raw query'],
  ['turns texts into numbers', 'types', 'keeps bigints and numerics as strings everywhere'],
  ['takes found rows for new ones', 'includes', 'includes a belongsTo'],
  ['counts a row too many', 'bulk', 'deletes rows in bulk'],
  ['returns rows without metadata', 'raw', 'returns rows and metadata of a SELECT'],
  ['swallows errors', 'errors', 'reports syntax errors'],
  ['throws errors of another class', 'errors', 'reports a check violation'],
  ['throws errors without the constraint', 'errors', 'reports a foreign key violation'],
  ['sends another statement', 'finders', 'counts rows'],
  ['commits instead of rolling back', 'transactions', 'rolls a managed transaction back'],
  ['leaves the ambient transaction', 'cls', 'joins the transaction of the namespace'],
  ['leaves a rejection unhandled', 'models', 'validates attributes'],
  ['calls hooks twice', 'hooks', 'calls hooks around queries'],
  ['does not close', 'lifecycle', 'closes after its work'],
]

describe('the comparison', () => {
  const stage = openStage()
  let pair: Pair
  beforeAll(async () => {
    pair = await stage.openPair(everyday)
  })
  afterAll(async () => {
    await pair?.stop()
    await stage.close()
  })

  it.each(faults)('finds a package that %s', async (fault, group, title) => {
    const one = caseOf(group, title)
    const whole = await pair.run(one)
    expect(whole.ours).toEqual(whole.stock)
    const faulty = await pair.run(one, fault)
    expect(faulty.stock).toEqual(whole.stock)
    expect(faulty.ours.text).not.toBe(faulty.stock.text)
  })

  it('tells a case that fails by itself', async () => {
    const { ours } = await pair.run(caseOf('errors', 'reports syntax errors'), 'swallows errors')
    expect(ours.broken).toContain('The case expected a failure, and there was none.')
  })
})

describe('a subject whose process ends', () => {
  const stage = openStage()
  afterAll(() => stage.close())

  it('is told from one that answers', async () => {
    const pair = await stage.openPair(everyday)
    const { stock, ours } = await pair.run(caseOf('lifecycle', 'authenticates'), 'ends the process')
    await pair.stop()
    expect(stock.broken).toBeUndefined()
    expect(ours.broken).toMatch(/^The process has ended \(7\)/)
  })
})

describe('the cases', () => {
  const groups = Map.groupBy(cases, ({ group }) => group)

  it('are 200 or more', () => expect(cases.length).toBeGreaterThanOrEqual(LEAST_CASES))

  it.each([...groups])('have enough in %s', (_, ofGroup) => expect(ofGroup.length).toBeGreaterThanOrEqual(LEAST_OF_GROUP))

  it('cover every group', () => {
    const names = [
      'bulk',
      'cls',
      'errors',
      'finders',
      'hooks',
      'includes',
      'lifecycle',
      'models',
      'options',
      'query-interface',
      'raw',
      'transactions',
      'types',
    ]
    expect([...groups.keys()]).toEqual(names)
  })

  it('have short titles', () => {
    const words = ({ title }: Case) => title.replace(' (cls-hooked)', '').split(' ').length
    expect(cases.filter(one => words(one) > MOST_WORDS).map(({ title }) => title)).toEqual([])
  })

  it('all run in the everyday variant', () => expect(cases.filter(one => !canRun(one, everyday))).toEqual([]))

  it('are spread over all variants', () => {
    for (const variant of variants) expect(casesOf(variant, cases, { full: false }).length).toBeGreaterThan(8)
  })

  it('contain every known bug', () => {
    const known = knownBugs.filter(bug => !cases.some(({ group, title }) => group === bug.group && title === bug.title))
    expect(known).toEqual([])
  })
})

function caseOf(group: string, title: string): Case {
  const found = cases.find(one => one.group === group && one.title === title)
  if (found === undefined) throw new Error(`There is no case ${group}: ${title}`)
  return found
}
