import { describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import { defineHandler } from '../../src/index.ts'
import { withStage, type Stage } from './stage.ts'

const sources = { shop: { scheme: 'standard', secrets: 'SECRET' } } as const
const body = JSON.stringify({ type: 'order.paid', data: {} })
const handlers = [defineHandler({ type: 'order.paid', schema: z.unknown(), needsDatabase: true, async apply() {} })]

const logged = ({ lines }: Stage) =>
  lines.filter(({ event, failure }) => event === 'webhook.failed' && failure === undefined).map(({ error }) => error)
const toldOf = (schema: string) =>
  expect.stringMatching(
    new RegExp(`^The inbox finds no webhook_(events|erased) in the schema ${schema}. Apply the migrations .* migrate\\(`),
  ) as unknown

describe('without its tables an inbox', () => {
  it('names the migrations in the log and tells the sender nothing', async () => {
    await withStage({}, async stage => {
      const inbox = stage.open({ sources, handlers, schema: 'inbox' })
      expect(await inbox.send(body)).toMatchObject({
        status: 500,
        body: { code: 'internal-error', detail: expect.not.stringContaining('migrat') as unknown },
      })
      expect(logged(stage)).toMatchObject([{ code: 'tables-missing', message: toldOf('inbox') }])
    })
  })

  it('names them to who runs or manages what is due', async () => {
    await withStage({ schema: 'elsewhere' }, async stage => {
      const inbox = stage.open({ sources, handlers })
      const refusal = { code: 'tables-missing', message: toldOf('public') }
      await expect(inbox.runDue()).rejects.toMatchObject(refusal)
      await expect(inbox.manage({ action: 'list', state: 'parked' })).rejects.toMatchObject(refusal)
    })
  })
})

describe('a table of a handler that is missing', () => {
  it('parks the event under its own code', async () => {
    await withStage({ schema: 'inbox' }, async stage => {
      const fail = async (_event: unknown, { query }: { query(text: string): Promise<unknown> }) => void (await query('SELECT FROM payments'))
      const failing = defineHandler({ type: 'order.paid', schema: z.unknown(), needsDatabase: true, apply: fail })
      const inbox = stage.open({ sources, handlers: [failing], schema: 'inbox' })
      expect(await inbox.send(body)).toEqual({ status: 200, body: { outcome: 'failed' } })
      expect(await inbox.manage({ action: 'list', state: 'parked' })).toMatchObject({ events: [{ lastError: '42P01' }] })
    })
  })
})
