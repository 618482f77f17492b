import { randomUUID } from 'node:crypto'
import { DataTypes, type Model } from 'sequelize'
import { describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import { defineHandler } from '../../src/index.ts'
import { withStage } from './stage.ts'

const sources = { shop: { scheme: 'standard', secrets: 'SECRET' } } as const
const body = JSON.stringify({ type: 'order.paid', data: {} })
const USER = randomUUID()

interface Payment extends Model {
  userId: number
}

describe('a value that a handler returns', () => {
  it('is ignored unless it is an effect', async () => {
    await withStage({ schema: 'inbox' }, async stage => {
      const Payments = stage.sequelize.define<Payment>('payment', { userId: DataTypes.INTEGER, erased: DataTypes.BOOLEAN })
      await stage.sequelize.sync()
      const row = { userId: 7, erased: true }
      const returned: Record<string, () => unknown> = {
        'a model instance': () => Payments.create(row),
        'a row': async () => (await Payments.create(row)).get({ plain: true }) as unknown,
        'a list of rows': () => Payments.findAll({ raw: true }),
        'a count': () => Payments.update({ userId: 8 }, { where: {} }),
        'a response of fetch': async () => Promise.resolve(new Response('{}')),
        'an empty object': async () => Promise.resolve({}),
        null: async () => Promise.resolve(null),
      }
      for (const [what, run] of Object.entries(returned)) {
        const handler = defineHandler({ type: 'order.paid', schema: z.unknown(), needsDatabase: true, apply: async () => run() })
        const inbox = stage.open({ sources, handlers: [handler], schema: 'inbox' })
        expect([what, (await inbox.send(body)).body]).toEqual([what, { outcome: 'applied' }])
      }
      const events = 'SELECT count(*)::int AS events, count(body)::int AS bodies, count(user_id)::int AS users FROM inbox.webhook_events'
      const count = Object.keys(returned).length
      expect(await stage.database.query(events)).toEqual([{ events: count, bodies: count, users: 0 }])
    })
  })

  it('names the user of the event, or drops the payload of one who was erased', async () => {
    await withStage({ schema: 'inbox' }, async stage => {
      const effects = [{ userId: USER }, { userId: null, erased: true }]
      for (const effect of effects) {
        const handler = defineHandler({ type: 'order.paid', schema: z.unknown(), needsDatabase: true, apply: async () => Promise.resolve(effect) })
        expect((await stage.open({ sources, handlers: [handler], schema: 'inbox' }).send(body)).body).toEqual({ outcome: 'applied' })
      }
      const events = 'SELECT user_id AS "userId", body IS NULL AS dropped FROM inbox.webhook_events ORDER BY received_at'
      expect(await stage.database.query(events)).toEqual([
        { userId: USER, dropped: false },
        { userId: null, dropped: true },
      ])
    })
  })
})
