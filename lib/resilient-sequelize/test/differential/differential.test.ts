import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasPgBouncer } from '../../../postgres-faults/src/pgbouncer.ts'
import { loadCases } from './catalog.ts'
import { knownBug } from './known-bugs.ts'
import { openStage, type Pair } from './stage.ts'
import { casesOf, variants } from './variants.ts'

// Each case is an ordinary use of Sequelize. Stock Sequelize and this package run it on equal databases, and an application
// must see no difference: `child/run-case.ts` shows what is compared. DIFFERENTIAL=full runs every case in every variant.

const full = process.env.DIFFERENTIAL === 'full'
const cases = await loadCases()
const stage = openStage()
afterAll(() => stage.close())

describe.each(variants)('$name', variant => {
  describe.skipIf(variant.route === 'pooler' && !hasPgBouncer())('like Sequelize', () => {
    const chosen = casesOf(variant, cases, { full })
    let pair: Pair
    beforeAll(async () => {
      pair = await stage.openPair(variant)
    })
    afterAll(() => pair?.stop())

    const titled = (isKnownBug: boolean) =>
      chosen.filter(one => (knownBug(one, variant) !== undefined) === isKnownBug).map(one => [`${one.group}: ${one.title}`, one] as const)

    it.each(titled(false))('%s', async (title, one) => {
      const { stock, ours } = await pair.run(one)
      if (stock.skipped !== undefined) console.warn(`SKIPPED: ${title}, because ${stock.skipped}`)
      expect(stock.broken).toBeUndefined()
      expect(ours.text).toBe(stock.text)
      expect(ours.broken).toBeUndefined()
    })

    it.each(titled(true))('%s (known bug)', async (_, one) => {
      const { stock, ours } = await pair.run(one)
      expect(stock.broken).toBeUndefined()
      expect(ours.text).not.toBe(stock.text)
    })
  })
})
