import { pino } from 'pino'
import { Sequelize } from 'sequelize'
import { describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import { ResilientSequelize } from '../../../resilient-sequelize/src/index.ts'
import { createInbox, defineHandler, SettingsError } from '../../src/index.ts'
import { SECRET } from './stage.ts'

const URL = 'postgres://user:hunter2@localhost/app'
const sequelize = new ResilientSequelize(URL, { logging: false })
const handler = defineHandler({ type: 'order.paid', schema: z.unknown(), needsDatabase: true, async apply() {} })
const shop = { scheme: 'standard', secrets: 'SHOP_SECRET' } as const
const own = {
  scheme: 'hmac',
  secrets: 'SHOP_SECRET',
  signature: { header: 'x-signature', algorithm: 'sha256', encoding: 'hex' },
  eventId: { header: 'x-id' },
  type: { pointer: '/type' },
}
const good = { sources: { shop }, handlers: [handler], environment: { SHOP_SECRET: SECRET } }
const create = createInbox as (sequelize: unknown, options?: unknown) => unknown
const logger = { child: () => logger, debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

/** What creation throws, as its class and its message. */
function thrownBy(given: object, instance: unknown[] = [sequelize]): string {
  try {
    create(instance[0], { ...good, ...given })
    return 'nothing was thrown'
  } catch (error) {
    return String(error)
  }
}

const withSource = (source: unknown) => ({ sources: { shop: source } })
const withHandler = (changes: object) => ({ handlers: [{ ...handler, ...changes }] })

describe('createInbox refuses', () => {
  it.each<[what: string, on: unknown]>([
    ['stock Sequelize', new Sequelize(URL, { logging: false })],
    ['nothing in place of an instance', undefined],
    ['a URL in place of an instance', URL],
  ])('%s', (_what, on) => {
    expect(thrownBy({}, [on])).toMatch(/^TypeError: .*ResilientSequelize.*new ResilientSequelize\(/)
  })

  it.each<[what: string, given: object, told: RegExp]>([
    ['no sources', { sources: undefined }, /`sources`.*object/],
    ['a list of sources', { sources: [shop] }, /`sources`.*object/],
    ['an empty object of sources', { sources: {} }, /at least one source/],
    ['a source that is no object', withSource(null), /Source shop.*object/],
    [
      'a source without a scheme',
      withSource({ secrets: 'SHOP_SECRET' }),
      /Source shop.*`scheme`.*standard, stripe, github, shopify, digitalocean, hmac/,
    ],
    ['an unknown scheme', withSource({ ...shop, scheme: 'paypal' }), /Source shop.*`scheme`.*standard, stripe, github, shopify, digitalocean, hmac/],
    ['the name of an object member as scheme', withSource({ ...shop, scheme: 'toString' }), /Source shop.*`scheme`.*standard, stripe/],
    ['a source without secrets', withSource({ scheme: 'standard' }), /Source shop.*`secrets`.*variable/],
    ['a list of secrets', withSource({ ...shop, secrets: ['SHOP_SECRET'] }), /Source shop.*`secrets`.*variable/],
    ['a secret in place of its variable', withSource({ ...shop, secrets: SECRET }), /Source shop.*`secrets`.*variable/],
    ['a secret of letters in place of its variable', withSource({ ...shop, secrets: 'whsec_abc' }), /Source shop.*`secrets`.*variable/],
    ['hmac without a signature', withSource({ ...own, signature: undefined }), /Source shop.*`signature`.*header.*algorithm.*encoding/],
    ['hmac with an unknown algorithm', withSource({ ...own, signature: { ...own.signature, algorithm: 'md5' } }), /Source shop.*`signature`.*sha256/],
    ['hmac with an unknown encoding', withSource({ ...own, signature: { ...own.signature, encoding: 'hex64' } }), /Source shop.*`signature`.*hex/],
    ['hmac with an unknown unit of time', withSource({ ...own, timestamp: { header: 'x-time', unit: 'minutes' } }), /Source shop.*`timestamp`/],
    ['an event id that is no place', withSource({ ...own, eventId: 'id' }), /Source shop.*`eventId`.*header.*pointer/],
    ['a type that is no place', withSource({ ...own, type: '/type' }), /Source shop.*`type`.*header.*pointer/],
    ['a pointer without its slash', withSource({ ...own, type: { pointer: 'type' } }), /Source shop.*`type`.*pointer/],
    ['no place for a type', withSource({ ...own, type: undefined }), /Source shop.*type/],
    ['data that is no pointer', withSource({ ...own, data: 'data' }), /Source shop.*`data`.*JSON Pointer/],
    ['handlers of a source that are no list', withSource({ ...shop, handlers: {} }), /Source shop.*`handlers`.*array/],
    ['an empty list of handlers of a source', withSource({ ...shop, handlers: [] }), /Source shop.*`handlers`.*`commonHandlers: false`/],
    ['a text in place of commonHandlers', withSource({ ...shop, commonHandlers: 'false' }), /Source shop.*`commonHandlers`.*true or false/],
    ['handlers that reach no source', withSource({ ...shop, commonHandlers: false }), /`handlers` reaches no source.*`commonHandlers: false`/],
    ['a field that no source has', withSource({ ...shop, handler: [handler] }), /Source shop.*`handler`.*scheme, secrets, handlers/],
    ['a field of another scheme', withSource({ ...shop, timestamp: { header: 'x-time' } }), /Source shop.*`timestamp`.*no field of its scheme/],
    ['a tolerance of more than a day', withSource({ ...shop, toleranceSeconds: 86_401 }), /Source shop.*`toleranceSeconds`.*at most 86400/],
    ['no time to answer', withSource({ ...shop, answerWithinMs: 0 }), /Source shop.*`answerWithinMs`.*milliseconds/],
    ['a guard that does not exist', withSource({ ...shop, replayGuard: 'id' }), /Source shop.*`replayGuard`.*body/],
    ['two handlers of a type at a source', withSource({ ...shop, handlers: [handler, handler] }), /Source shop.*two.*order\.paid/],
    ['no handlers', { handlers: undefined }, /`handlers`.*array/],
    ['an empty list of handlers', { handlers: [] }, /`handlers`.*empty/],
    ['an object of handlers', { handlers: { 'order.paid': handler } }, /`handlers`.*array/],
    ['a handler that is null', { handlers: [null] }, /`handlers\[0\]`.*defineHandler/],
    ['a function in place of a handler', { handlers: [handler, () => undefined] }, /`handlers\[1\]`.*defineHandler/],
    ['a handler without a type', withHandler({ type: undefined }), /`handlers\[0\]`.*`type`/],
    ['a handler without a schema', withHandler({ schema: undefined }), /`handlers\[0\]` \(order\.paid\).*`schema`.*zod/],
    ['a handler with a schema that is none', withHandler({ schema: { reference: 'string' } }), /`handlers\[0\]` \(order\.paid\).*`schema`.*zod/],
    ['a handler without needsDatabase', withHandler({ needsDatabase: undefined }), /`handlers\[0\]` \(order\.paid\).*`needsDatabase`.*true or false/],
    ['a handler without apply', withHandler({ apply: undefined }), /`handlers\[0\]` \(order\.paid\).*`apply`.*function/],
    ['a handler whose concerns is a text', withHandler({ concerns: 'user' }), /`handlers\[0\]` \(order\.paid\).*`concerns`.*function/],
    ['two handlers of a type', { handlers: [handler, handler] }, /two.*order\.paid/],
    ['the console as logger', { logger: console }, /`logger`.*pino/],
    ['another logger with children', { logger }, /`logger`.*pino/],
    ['a function as logger', { logger: () => undefined }, /`logger`.*pino/],
    ['an empty schema', { schema: '' }, /`schema`/],
    ['a number as schema', { schema: 5 }, /`schema`/],
    ['a schema longer than PostgreSQL takes', { schema: 'é'.repeat(32) }, /`schema`.*63 bytes/],
    ['a schema of PostgreSQL', { schema: 'pg_inbox' }, /`schema`.*PostgreSQL/],
    ['a schema with NUL', { schema: 'in\0box' }, /`schema`/],
    ['alerts that receive nothing', { alerts: () => undefined }, /`alerts`.*passOn/],
    ['an environment that is none', { environment: null }, /`environment`/],
    ['an option that does not exist', { schemas: 'inbox' }, /`schemas`.*sources, handlers, environment, schema, logger, alerts/],
  ])('%s', (_what, given, told) => {
    const message = thrownBy(given)
    expect(message).toMatch(told)
    expect(message).toMatch(/^TypeError: [^\n]{20,240}\.$/)
    expect(message).not.toMatch(/whsec_|hunter2/)
  })

  it('no options', () => {
    expect(() => create(sequelize)).toThrow(/createInbox\(sequelize, \{ sources, handlers \}\)/)
  })
})

describe('createInbox names', () => {
  const sources = { shop, bank: { scheme: 'stripe', secrets: 'BANK_SECRET' } } as const

  it.each([
    ['the one secret of several that is missing', { SHOP_SECRET: SECRET }, ['BANK_SECRET']],
    ['an empty one', { SHOP_SECRET: SECRET, BANK_SECRET: ' ' }, ['BANK_SECRET']],
    ['all that are missing', {}, ['SHOP_SECRET', 'BANK_SECRET']],
    ['those that are wrong as well', { SHOP_SECRET: 'changeme', PAYLOAD_KEY: 'x' }, ['BANK_SECRET', 'SHOP_SECRET', 'PAYLOAD_KEY']],
  ])('%s', (_what, environment, variables) => {
    let thrown: unknown
    try {
      create(sequelize, { ...good, sources, environment })
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(SettingsError)
    const { message, variables: named } = thrown as SettingsError
    expect([...named].sort()).toEqual([...variables].sort())
    for (const variable of variables) expect(message).toMatch(new RegExp(`${variable} (is missing: set it to the secret of source|holds|is not)`))
    expect(message).not.toContain('changeme')
  })

  it('no secret that is none on purpose', () => {
    expect(() => create(sequelize, { ...good, sources, environment: { SHOP_SECRET: SECRET, BANK_SECRET: 'none' } })).not.toThrow()
  })
})

describe('createInbox accepts', () => {
  it.each<[what: string, given: object]>([
    ['sources with handlers of their own alone', { handlers: [], ...withSource({ ...shop, handlers: [handler] }) }],
    ['a source that ignores all beside others', { sources: { shop, bank: { ...shop, commonHandlers: false } } }],
    ['an own handler of a type with a common one', withSource({ ...shop, handlers: [handler] })],
    ['a schema in quotes', { schema: 'My "own" schema' }],
    ['a logger of pino', { logger: pino({ level: 'silent' }) }],
    ['a child of a logger of pino', { logger: pino({ level: 'silent' }).child({ module: 'webhooks' }) }],
    ['a sender that hashes bodies', withSource({ ...own, eventId: 'body', data: '' })],
    ['a sender that signs its time', withSource({ ...own, timestamp: { header: 'x-time', unit: 'ms', separator: '.' } })],
    ['options that are undefined', { schema: undefined, logger: undefined, alerts: undefined }],
  ])('%s', (_what, given) => {
    expect(thrownBy(given)).toBe('nothing was thrown')
  })
})
