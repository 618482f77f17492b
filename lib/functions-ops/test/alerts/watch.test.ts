import { expect, it } from 'vitest'
import type { Watch } from '../../src/health/watch.ts'
import { sql, tablesNamed } from '../../../functions-runtime/src/database/sql.ts'
import { runSchedule, startHealth, withHealth } from '../../../functions-devkit/test/support/health.ts'
import { startReceiver } from '../../../functions-devkit/test/support/receiver.ts'

const secret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`
const { users, nowhere } = tablesNamed('users', 'nowhere')
const counted: Watch = {
  kind: 'users-many',
  severity: 'warning',
  summary: 'There are many users.',
  statement: sql`SELECT count(*) AS observed FROM ${users}`,
  threshold: 2,
}
const broken: Watch = { ...counted, kind: 'nowhere', statement: sql`SELECT count(*) AS observed FROM ${nowhere}` }
const wordy: Watch = { ...counted, kind: 'wordy', statement: sql`SELECT 'many' AS observed` }
const empty: Watch = { ...counted, kind: 'empty', statement: sql`SELECT NULL::int AS observed` }

it('raises and clears the alert of a watch while other watches fail', async () => {
  const receiver = await startReceiver({ secret })
  try {
    await withHealth(
      async ({ container, database, lines }) => {
        const health = container()
        const insert = (name: string) =>
          database.query('INSERT INTO users (id, email, name, created_at, updated_at) VALUES (gen_random_uuid(), $1, $2, now(), now())', [
            `${name}@example.com`,
            name,
          ])
        await insert('ada')
        expect((await runSchedule(health)).alerts).toEqual({ raised: [], recovered: [], undelivered: [] })
        await insert('grace')
        expect((await runSchedule(health)).alerts.raised).toEqual(['users-many'])
        expect((await runSchedule(health)).alerts.raised).toEqual([])
        await database.query("DELETE FROM users WHERE name = 'ada'")
        expect((await runSchedule(health)).alerts.recovered).toEqual(['users-many'])
        expect(receiver.alerts.map(({ type, data }) => ({ type, code: data.code, observed: data.observed }))).toEqual([
          { type: 'alert.raised', code: 'users-many', observed: 2 },
          { type: 'alert.recovered', code: 'users-many', observed: 1 },
        ])
        const failed = lines.filter(({ event }) => event === 'operation.fallback').map(({ operation }) => operation)
        expect(new Set(failed)).toEqual(new Set(['health.watch.nowhere', 'health.watch.wordy']))
      },
      { watches: [broken, wordy, empty, counted], variables: { ALERT_URL: receiver.url, ALERT_SECRET: secret } },
    )
  } finally {
    await receiver.stop()
  }
})

it.each([
  ['that is used twice', [counted, counted]],
  ['of the framework', [{ ...counted, kind: 'events-parked' }]],
])('refuses a watch with a kind %s', (_how, watches) => {
  expect(() => startHealth({}, undefined, watches)).toThrow(/^The alert kind (users-many|events-parked) is used more than once\.$/)
})
