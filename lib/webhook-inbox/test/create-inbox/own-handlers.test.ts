import { expect, it } from 'vitest'
import * as z from 'zod/mini'
import { defineHandler, defineSource, later, type WebhookHandler } from '../../src/index.ts'
import { withStage, type Stage } from './stage.ts'

const runs: string[] = []
const handlerOf = (name: string, type: string, end: () => void = () => undefined): WebhookHandler =>
  defineHandler({
    type,
    schema: z.unknown(),
    needsDatabase: true,
    async apply({ id }) {
      runs.push(`${name} ${type} ${id}`)
      end()
    },
  })
const common = [handlerOf('common', 'order.paid'), handlerOf('common', 'order.refunded')]
const source = { scheme: 'standard', secrets: 'SECRET' } as const
const bodyOf = (type: string) => JSON.stringify({ type, data: {} })

async function withSources(
  sources: Parameters<Stage['open']>[0]['sources'],
  work: (inbox: ReturnType<Stage['open']>, stage: Stage) => Promise<void>,
) {
  runs.length = 0
  await withStage({ schema: 'inbox' }, async stage => work(stage.open({ sources, handlers: common, schema: 'inbox' }), stage))
}

it('an inbox tries the handlers of a source before its own', async () => {
  const shop = defineSource({ ...source, handlers: [handlerOf('own', 'order.paid')] })
  await withSources({ shop, bank: source }, async inbox => {
    for (const [id, type, name] of [
      ['1', 'order.paid', 'shop'],
      ['2', 'order.refunded', 'shop'],
      ['3', 'order.paid', 'bank'],
    ] as const)
      expect((await inbox.send(bodyOf(type), { source: name, id })).body).toEqual({ outcome: 'applied' })
    expect((await inbox.send(bodyOf('order.lost'))).body).toEqual({ outcome: 'ignored' })
    expect(runs).toEqual(['own order.paid 1', 'common order.refunded 2', 'common order.paid 3'])
  })
})

it('an inbox keeps its handlers from a source that has own ones alone', async () => {
  const shop = defineSource({ ...source, handlers: [handlerOf('own', 'order.paid')], commonHandlers: false })
  await withSources({ shop }, async inbox => {
    expect((await inbox.send(bodyOf('order.refunded'), { id: '1' })).body).toEqual({ outcome: 'ignored' })
    expect((await inbox.send(bodyOf('order.paid'), { id: '2' })).body).toEqual({ outcome: 'applied' })
    expect(runs).toEqual(['own order.paid 2'])
  })
})

it('runDue retries an event with the handler of its source', async () => {
  const ends = [() => later('closed'), undefined]
  const end = () => {
    const error = ends.shift()
    if (error !== undefined) throw error()
  }
  const shop = defineSource({ ...source, handlers: [handlerOf('own', 'order.paid', end)] })
  await withSources({ shop }, async (inbox, { database }) => {
    expect(await inbox.send(bodyOf('order.paid'), { id: '1' })).toEqual({ status: 202, body: { outcome: 'deferred' } })
    await database.query('UPDATE inbox.webhook_events SET next_attempt_at = now()')
    expect(await inbox.runDue()).toMatchObject({ attempts: { applied: 1 } })
    expect(runs).toEqual(['own order.paid 1', 'own order.paid 1'])
    expect(await database.query('SELECT outcome, attempts FROM inbox.webhook_events')).toEqual([{ outcome: 'applied', attempts: 2 }])
  })
})
