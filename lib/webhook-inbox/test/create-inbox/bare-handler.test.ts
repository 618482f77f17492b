import { DataTypes } from 'sequelize'
import { expect, it } from 'vitest'
import * as z from 'zod/mini'
import { defineHandler } from '../../src/index.ts'
import { withStage } from './stage.ts'

const sources = { shop: { scheme: 'standard', secrets: 'SECRET' } } as const
const body = JSON.stringify({ type: 'order.paid', data: {} })
const schema = z.unknown()

// As the README says: the transaction that is open meanwhile is what the second delivery waits for.
it('runs a handler without the database once for simultaneous deliveries', async () => {
  await withStage({ schema: 'inbox' }, async stage => {
    let runs = 0
    const gate = Promise.withResolvers<void>()
    const started = Promise.withResolvers<void>()
    const handler = defineHandler({
      type: 'order.paid',
      schema,
      needsDatabase: false,
      async apply() {
        runs += 1
        started.resolve()
        await gate.promise
      },
    })
    const inbox = stage.open({ sources, handlers: [handler], schema: 'inbox' })
    const first = inbox.send(body, { id: 'evt_1' })
    await started.promise
    const second = inbox.send(body, { id: 'evt_1' })
    const open = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'"
    const waiting = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    await expect.poll(() => stage.database.query(waiting)).toEqual([{ n: 1 }])
    expect(await stage.database.query(open)).toEqual([{ n: 1 }])
    gate.resolve()
    expect([(await first).body, (await second).body]).toEqual([{ outcome: 'applied' }, { outcome: 'duplicate', first: 'applied' }])
    expect(runs).toBe(1)
  })
})

it('rolls back what a failed handler without the database wrote', async () => {
  await withStage({ schema: 'inbox' }, async stage => {
    const Payments = stage.sequelize.define('payment', { reference: DataTypes.TEXT })
    await stage.sequelize.sync()
    const fail = async () => {
      await Payments.create({ reference: 'a' })
      throw new Error('no')
    }
    const inbox = stage.open({
      sources,
      handlers: [defineHandler({ type: 'order.paid', schema, needsDatabase: false, apply: fail })],
      schema: 'inbox',
    })
    expect((await inbox.send(body)).body).toEqual({ outcome: 'failed' })
    expect(await stage.database.query('SELECT FROM payments')).toEqual([])
  })
})
