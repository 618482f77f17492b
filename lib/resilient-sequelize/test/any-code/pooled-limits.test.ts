import { expect, it } from 'vitest'
import { withStage } from './stage.ts'

it.each([true, false])('safe-executed work leaves the limit of the unit as it was, pooled: %s', async pooled => {
  await withStage(
    async ({ sequelize }) => {
      const timeout = async () => {
        const rows = await sequelize.query("SELECT setting::int AS ms FROM pg_settings WHERE name = 'statement_timeout'", { plain: true })
        return (rows as unknown as { ms: number }).ms
      }
      const seen = await sequelize.execute('outer', async ({ query }) => {
        await query('SELECT 1')
        const inner = await sequelize.safeExecute(timeout, { operationName: 'log', fallbackValue: -1, budgetMs: 1_000 })
        return [inner, await timeout()]
      })
      expect(seen[0]).toBeLessThanOrEqual(1_000)
      expect(seen[0]).toBeGreaterThan(0)
      expect(seen[1]).toBeGreaterThan(10_000)
    },
    { resilience: { pooled } },
  )
})
