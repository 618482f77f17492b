import { describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import { defineHandler, type WebhookHandler } from '../src/define-handler.ts'
import { defineHandler as defineFunctionHandler } from '../src/inbox/handler.ts'
import { defineSource } from '../src/verify/define-source.ts'
import { defineSources, describeSources } from '../src/verify/source-settings.ts'
import type { SourceDefinition } from '../src/verify/source.ts'

const acme = { scheme: 'standard', secrets: 'ACME_SECRET' } as const
const handlerOf = (type: string) => defineHandler({ type, schema: z.unknown(), needsDatabase: true, async apply() {} })
const paid = handlerOf('order.paid')
const define = defineSource as (definition: unknown) => SourceDefinition

describe('defineSource', () => {
  it('returns the definition that it was given', () => {
    const definition: SourceDefinition = { ...acme, handlers: [paid], answerWithinMs: 1_000 }
    expect(defineSource(definition)).toBe(definition)
  })

  it.each<[what: string, definition: unknown, told: RegExp]>([
    ['nothing', undefined, /^A source has to be an object with `scheme` and `secrets`\.$/],
    ['an unknown scheme', { ...acme, scheme: 'paypal' }, /^The source of ACME_SECRET needs `scheme`.*standard, stripe/],
    ['a secret in place of its variable', { ...acme, secrets: 'whsec_abc' }, /^A source needs `secrets`, the name of/],
    ['a place that is none', { ...acme, type: '/type' }, /^The source of ACME_SECRET has `type`.*pointer/],
    ['no place for an id', { scheme: 'digitalocean', secrets: 'ACME_SECRET', type: { pointer: '/type' } }, /^The source of ACME_SECRET .*`eventId`/],
    ['a field that does not exist', { ...acme, handler: [paid] }, /^The source of ACME_SECRET has `handler`.*The fields are scheme, /],
    ['a handler that is none', { ...acme, handlers: [paid, {}] }, /^The source of ACME_SECRET: `handlers\[1\]` needs `type`/],
    ['two handlers of one type', { ...acme, handlers: [paid, paid] }, /^The source of ACME_SECRET: .*two handlers.*order\.paid/],
    ['no handlers in their list', { ...acme, handlers: [] }, /^The source of ACME_SECRET .*`handlers`.*`commonHandlers: false`/],
  ])('refuses %s', (_what, definition, told) => {
    expect(() => define(definition)).toThrow(TypeError)
    expect(() => define(definition)).toThrow(told)
  })

  it('never repeats what may be a secret', () => {
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
    expect(() => define({ ...acme, secrets: secret })).toThrow(expect.objectContaining({ message: expect.not.stringContaining(secret) as unknown }))
  })

  it('leaves fields out that are undefined', () => {
    expect(() => define({ ...acme, handlers: undefined, signature: undefined })).not.toThrow()
  })

  // The compiler judges these lines: each expected error stands at its field.
  it('is typed field by field', () => {
    const refused = [
      () =>
        defineSource({
          // @ts-expect-error: no such scheme
          scheme: 'paypal',
          secrets: 'ACME_SECRET',
        }),
      () =>
        defineSource({
          scheme: 'standard',
          secrets: 'ACME_SECRET',
          // @ts-expect-error: no such field
          handler: [paid],
        }),
      () =>
        defineSource({
          scheme: 'hmac',
          secrets: 'ACME_SECRET',
          // @ts-expect-error: no such algorithm
          signature: { header: 'x-signature', algorithm: 'md5', encoding: 'hex' },
          eventId: 'body',
          type: { pointer: '/type' },
        }),
      () =>
        defineSource({
          ...acme,
          // @ts-expect-error: no place
          type: '/type',
        }),
      // @ts-expect-error: this scheme has no place for the type
      () => defineSource({ scheme: 'digitalocean', secrets: 'ACME_SECRET', eventId: 'body' }),
    ]
    for (const refuse of refused) expect(refuse).toThrow(TypeError)
  })

  it('gives inline handlers the data of their schema', async () => {
    const seen: string[] = []
    const source = defineSource({
      ...acme,
      concerns: ({ data }) => String(data),
      handlers: [
        defineHandler({
          type: 'order.paid',
          schema: z.object({ orderId: z.string() }),
          needsDatabase: true,
          async apply({ data }) {
            seen.push(data.orderId)
          },
        }),
        defineFunctionHandler({
          type: 'order.sent',
          schema: z.object({ orderId: z.string() }),
          needsDatabase: true,
          concerns: ({ orderId }) => orderId,
          // @ts-expect-error: the schema has no such field
          apply: async ({ data }, { models }) => void [data.orderNumber, models],
        }),
      ],
    })
    await source.handlers?.[0]?.apply({ data: { orderId: 'o_1' } } as never, {} as never)
    expect(seen).toEqual(['o_1'])
  })
})

describe('the handlers of a source', () => {
  const [own, common, refunded] = [handlerOf('order.paid'), handlerOf('order.paid'), handlerOf('order.refunded')]
  const table = {
    plain: defineSource(acme),
    shared: defineSource({ ...acme, handlers: [own] }),
    alone: defineSource({ ...acme, handlers: [own], commonHandlers: false }),
    none: defineSource({ ...acme, commonHandlers: false }),
  }
  const expected: Readonly<Record<keyof typeof table, readonly WebhookHandler[]>> = {
    plain: [common, refunded],
    shared: [own, refunded],
    alone: [own],
    none: [],
  }

  it('come before the common ones, and are the only ones on request', () => {
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
    const bound = defineSources(table, [common, refunded]).parse({ ACME_SECRET: secret }).value
    for (const sources of [bound, describeSources(table, [common, refunded])]) {
      for (const [name, handlers] of Object.entries(expected)) {
        const found = [...(sources?.get(name)?.handlers.values() ?? [])]
        expect([name, found.length, found.every(one => handlers.includes(one))]).toEqual([name, handlers.length, true])
      }
    }
  })

  it.each([
    ['defineSources', defineSources],
    ['describeSources', describeSources],
  ])('are refused by %s when two common ones share a type', (_name, make) => {
    expect(() => make(table, [common, own])).toThrow(/^The common handlers: There are two handlers for events of type order\.paid/)
  })
})
