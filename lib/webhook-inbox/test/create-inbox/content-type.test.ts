import { beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import { defineHandler } from '../../src/index.ts'
import { withStage } from './stage.ts'

const sources = { shop: { scheme: 'standard', secrets: 'SECRET' }, code: { scheme: 'github', secrets: 'SECRET' } } as const

describe('an inbox', () => {
  const applied: unknown[] = []
  beforeEach(() => void (applied.length = 0))
  const handlers = ['push', 'order.paid'].map(type =>
    defineHandler({ type, schema: z.object({ text: z.string() }), needsDatabase: true, apply: async ({ data }) => void applied.push(data.text) }),
  )
  const pushed = (body: string) => ({ source: 'code', headers: { 'X-GitHub-Delivery': body, 'X-GitHub-Event': 'push' } })

  it('applies events of every JSON type', async () => {
    await withStage({ schema: 'inbox' }, async stage => {
      const inbox = stage.open({ sources, handlers, schema: 'inbox' })
      const types = ['application/cloudevents+json', 'application/problem+json; charset=utf-8', 'APPLICATION/JSON;charset="UTF-8"', 'text/json']
      for (const contentType of types) {
        const body = JSON.stringify({ type: 'order.paid', data: { text: contentType } })
        expect(await inbox.send(body, { contentType })).toEqual({ status: 200, body: { outcome: 'applied' } })
      }
      expect(applied).toEqual(types)
    })
  })

  it("applies GitHub's events from forms and parks other forms", async () => {
    await withStage({ schema: 'inbox' }, async stage => {
      const inbox = stage.open({ sources, handlers, schema: 'inbox' })
      const contentType = 'application/x-www-form-urlencoded'
      const body = new URLSearchParams({ payload: JSON.stringify({ text: 'a&b=c + 100% é' }) }).toString()
      expect(await inbox.send(body, { ...pushed('1'), contentType })).toEqual({ status: 200, body: { outcome: 'applied' } })
      expect(applied).toEqual(['a&b=c + 100% é'])
      expect(await inbox.send('a=1', { ...pushed('2'), contentType })).toEqual({ status: 200, body: { outcome: 'failed' } })
      expect(await inbox.send(body, { contentType })).toEqual({ status: 200, body: { outcome: 'failed' } })
      expect(stage.lines.filter(({ event }) => event === 'webhook.failed').map(({ source, code }) => [source, code])).toEqual([
        ['code', 'json-unreadable'],
        ['shop', 'content-type-unsupported'],
      ])
    })
  })

  it('applies a form again that is read from its stored bytes', async () => {
    await withStage({ schema: 'inbox' }, async stage => {
      const contentType = 'application/x-www-form-urlencoded'
      const body = new URLSearchParams({ payload: JSON.stringify({ text: 'again' }) }).toString()
      const fail = async () => Promise.reject(new Error('not yet'))
      const failing = defineHandler({ type: 'push', schema: z.object({ text: z.string() }), needsDatabase: true, apply: fail })
      expect((await stage.open({ sources, handlers: [failing], schema: 'inbox' }).send(body, { ...pushed('1'), contentType })).body).toEqual({
        outcome: 'failed',
      })
      const mended = stage.open({ sources, handlers, schema: 'inbox' })
      await mended.manage({ action: 'retry', id: 'all' })
      expect(await mended.runDue()).toMatchObject({ attempts: { applied: 1 } })
    })
  })
})
