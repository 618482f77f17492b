import { createConfig, lintFromString } from '@redocly/openapi-core'
import { describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import type { ApiDescription } from '../../src/api/contract.ts'
import { describeApi } from '../../src/api/openapi.ts'
import type { RoutedOperation } from '../../src/api/operation.ts'
import { main } from '../support/orders.ts'

const read: RoutedOperation = { route: 'GET /', operationId: 'read', summary: 'Reads', answer: { status: 200, description: 'It.' } }

interface Contract {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>
  readonly tags: readonly object[]
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}
interface Described {
  readonly tags: readonly string[]
  readonly parameters: readonly { readonly name: string; readonly description: string; readonly required?: boolean }[]
  readonly requestBody?: unknown
  readonly responses: Readonly<Record<string, unknown>>
}

const describing = (operations: readonly RoutedOperation[], more: Partial<ApiDescription> = {}) =>
  describeApi({ name: 'api/orders', operations, ...more }) as unknown as Contract
const answering = (schema: z.ZodMiniType, more: Partial<ApiDescription> = {}) => describing([{ ...read, answer: { ...read.answer, schema } }], more)
const answerIn = (contract: Contract) =>
  (contract.paths['/']?.get?.responses[200] as { content: Record<string, { schema: object }> }).content['application/json']?.schema

describe('a contract', () => {
  it('gives a linter nothing to complain of', async () => {
    const config = await createConfig({ extends: ['recommended-strict'] })
    const found = await lintFromString({ source: JSON.stringify(await main.contract()), absoluteRef: 'openapi.json', config })
    expect(found.map(({ ruleId, message }) => `${ruleId}: ${message}`)).toEqual([])
  })

  it('groups operations by the first word of their path', () => {
    const routes = ['GET /', 'GET /{id}', 'GET /{id}/items/{itemId}', 'GET /reports']
    const contract = describing(
      routes.map((route, index) => ({ ...read, route, operationId: `read${index}` })),
      { tags: { items: 'What is in it.' } },
    )
    expect(Object.values(contract.paths).map(({ get }) => get?.tags)).toEqual([['orders'], ['orders'], ['items'], ['reports']])
    expect(contract.tags).toEqual([
      { name: 'orders', description: 'Operations of orders.' },
      { name: 'items', description: 'What is in it.' },
      { name: 'reports', description: 'Operations of reports.' },
    ])
  })

  it('describes parameters by their names unless told otherwise', () => {
    const query = z.object({ newOnly: z.string(), colour: z.optional(z.string()), size: z.optional(z.string().check(z.describe('How large.'))) })
    const contract = describing([{ ...read, route: 'GET /{orderId}', query }], { parameters: { colour: 'Of this colour.' } })
    expect(contract.paths['/{orderId}']?.get?.parameters.map(({ name, description, required = false }) => [name, description, required])).toEqual([
      ['orderId', 'Order id.', true],
      ['newOnly', 'New only.', true],
      ['colour', 'Of this colour.', false],
      ['size', 'How large.', false],
    ])
  })

  it('names the errors that an operation can have', () => {
    const statusesOf = (operation: Partial<RoutedOperation>) => {
      const route = operation.route ?? read.route
      const { get } = describing([{ ...read, ...operation }]).paths[route.split(' ')[1] ?? ''] ?? {}
      return Object.keys(get?.responses ?? {})
    }
    expect(statusesOf({ open: true })).toEqual(['200', '500', '503', '504'])
    expect(statusesOf({})).toEqual(['200', '401', '500', '503', '504'])
    expect(statusesOf({ scope: 'orders:read', route: 'GET /{id}' })).toEqual(['200', '401', '403', '404', '500', '503', '504'])
    expect(statusesOf({ idempotencyKey: 'required' })).toEqual(['200', '400', '401', '409', '422', '500', '503', '504'])
  })

  it('describes a schema with a name once', () => {
    const item = z.strictObject({ id: z.string() })
    const contract = answering(z.array(item), { schemas: { Item: item } })
    expect(answerIn(contract)).toEqual({ type: 'array', items: { $ref: '#/components/schemas/Item' } })
    expect(contract.components.schemas.Item).toMatchObject({ type: 'object', required: ['id'] })
  })

  it('takes a name from a schema that has an id', () => {
    const inner = z.strictObject({ n: z.int() }).check(z.meta({ id: 'Inner' }))
    const contract = answering(z.strictObject({ inner, others: z.array(inner) }).check(z.meta({ id: 'Outer', description: 'All.' })))
    expect(answerIn(contract)).toEqual({ $ref: '#/components/schemas/Outer' })
    expect(contract.components.schemas).toMatchObject({
      Outer: { description: 'All.', properties: { inner: { $ref: '#/components/schemas/Inner' } } },
      Inner: { properties: { n: { type: 'integer' } } },
    })
  })

  it('describes a body as what is sent, and an answer as what is given', () => {
    const order = z.strictObject({ number: z._default(z.int(), 1) })
    const both = describing([{ ...read, route: 'POST /', body: order, answer: { ...read.answer, schema: order } }], { schemas: { Order: order } })
    expect(both.components.schemas.Order).not.toHaveProperty('required')
    expect(both.paths['/']?.post?.requestBody).toMatchObject({ content: { 'application/json': { schema: { $ref: '#/components/schemas/Order' } } } })
    expect(both.paths['/']?.post?.responses[200]).toMatchObject({ content: { 'application/json': { schema: { required: ['number'] } } } })
  })

  it('refers to a schema that contains itself by its name', () => {
    interface Tree {
      readonly below: readonly Tree[]
    }
    const tree: z.ZodMiniType<Tree> = z.strictObject({ below: z.array(z.lazy(() => tree)) })
    const contract = answering(z.strictObject({ tree }), { schemas: { Tree: tree } })
    expect(JSON.stringify(contract.components.schemas.Tree)).toContain('{"$ref":"#/components/schemas/Tree"}')
    expect(JSON.stringify(answerIn(contract))).not.toContain('$defs')
    expect(() => answering(tree)).toThrow(/a schema contains itself: give it a name under schemas/)
  })

  it('names the place of a schema that it cannot describe', () => {
    const odd = z.strictObject({ at: z.date() })
    expect(() => answering(odd)).toThrow(
      /^GET \/: Date cannot be represented in JSON Schema: use a schema of what JSON holds, such as z\.iso\.datetime/,
    )
    expect(() => answering(z.string(), { schemas: { Odd: odd } })).toThrow(/^schemas\.Odd: Date cannot be represented/)
    const both = { ...read, route: 'POST /', body: odd, answer: { ...read.answer, schema: odd } }
    expect(() => describing([both], { schemas: { Odd: odd } })).toThrow(/^POST \/: Date cannot be represented in JSON Schema: [^:]+$/)
  })

  it('refuses one name for two schemas', () => {
    const one = z.strictObject({ a: z.string() }).check(z.meta({ id: 'Twice' }))
    expect(() => answering(one, { schemas: { Twice: z.string() } })).toThrow(/two schemas are called Twice: give each a name of its own$/)
  })
})
