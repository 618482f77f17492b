import * as z from 'zod/mini'
import { limitSchema } from '../content/page.ts'
import type { Operation, Operations } from './operation.ts'

type Json = Readonly<Record<string, unknown>>

/** An API to describe. */
export interface ApiDescription {
  readonly operations: Operations
  readonly scopes: readonly string[]
  readonly info: Json
  readonly servers: readonly Json[]
  /** Groups of operations. */
  readonly tags: readonly { readonly name: string; readonly description: string }[]
  /** Returns the group of a path. */
  readonly tagOf: (path: string) => string
  /** Descriptions of what stands in paths, and in queries, by name. */
  readonly parameters: Readonly<Record<string, string>>
  readonly queries: Readonly<Record<string, string>>
  /** What the schemas that have a name are called. */
  readonly named: ReadonlyMap<unknown, string>
}

const HEADERS: Readonly<Record<string, Json>> = {
  location: { description: 'Where the new thing is, relative to the URL that was called.', required: true, schema: { type: 'string' } },
  etag: { description: 'Tells this state of the user from every other; for `If-Match`.', required: true, schema: { type: 'string' } },
  link: { description: '`rel="next"`: the page behind this one, relative to the URL that was called; not on the last.', schema: { type: 'string' } },
  'retry-after': { description: 'Seconds to wait.', schema: { type: 'string', pattern: '^[0-9]+$' } },
  'www-authenticate': { description: 'How to prove who one is, or what the key lacks.', required: true, schema: { type: 'string' } },
  'x-request-id': { description: 'Under this id the log has the request.', required: true, schema: { type: 'string' } },
}

const PROBLEM = {
  type: 'object',
  description: 'Problem details (RFC 9457).',
  required: ['type', 'title', 'status', 'detail', 'code', 'requestId'],
  properties: {
    type: { const: 'about:blank' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', description: 'Stable; what a program decides by.', pattern: '^[a-z]+(-[a-z]+)*$' },
    requestId: { type: 'string' },
    errors: {
      type: 'array',
      description: 'What is wrong with the content, and where (JSON Pointer).',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: { path: { type: 'string' }, message: { type: 'string' } },
        additionalProperties: false,
      },
    },
    scope: { type: 'string', description: 'The scope that the key lacks.' },
    from: { type: 'string', description: 'The state that does not allow the step.' },
    to: { type: 'string', description: 'The state that was asked for.' },
  },
  additionalProperties: false,
}

const QUERIES: Readonly<Record<string, string>> = {
  limit: 'How many to give at most.',
  cursor: '`next` of the page before this one; good for the same list with the same filters.',
}

/** Returns the contract of an API as an OpenAPI 3.1 document, made of the schemas that requests are checked with. */
export function describeApi(api: ApiDescription): Json {
  const { operations, scopes, info, servers, tags, named } = api
  const paths: Record<string, Record<string, unknown>> = {}
  for (const [route, operation] of Object.entries(operations)) {
    const [method = '', path = ''] = route.split(' ')
    paths[path] = { ...paths[path], [method.toLowerCase()]: describeOperation(path, operation, api) }
  }
  return {
    openapi: '3.1.0',
    info,
    servers,
    security: [{ apiKey: [] }],
    tags,
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer', description: `A key with the scope that the operation names: ${scopes.join(', ')}.` },
      },
      schemas: {
        ...Object.fromEntries([...named].map(([schema, name]) => [name, toJson(schema as z.ZodMiniType, 'output')])),
        Problem: PROBLEM,
      },
      responses: Object.fromEntries(
        Object.values(operations)
          .flatMap(problemsOf)
          .filter(([, , own]) => !own)
          .map(([status, description]) => [nameOf(status), describeProblem(status, description)]),
      ),
    },
  }
}

function describeOperation(path: string, operation: Operation, { tagOf, parameters, queries, named }: ApiDescription): Json {
  const { operationId, summary, scope, body, patch, query } = operation
  const ofPath = (name: string) => ({ name, in: 'path', required: true, description: parameters[name] ?? '', schema: { type: 'string' } })
  return {
    operationId,
    summary,
    tags: [tagOf(path)],
    description: `Needs a key with the scope \`${scope}\`.`,
    parameters: [
      ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ofPath(name)),
      ...(query === undefined ? [] : queryParameters(query, { ...QUERIES, ...queries })),
      ...headerParameters(operation),
    ],
    ...(body === undefined ? {} : { requestBody: { required: true, content: mediaTypes(patch === true, toJson(body, 'input', named)) } }),
    responses: { ...describeAnswer(operation, named), ...describeProblems(operation) },
  }
}

function describeProblems(operation: Operation): Json {
  const described = problemsOf(operation).map(([status, description, own]): [string, Json] => {
    return [String(status), own ? describeProblem(status, description) : { $ref: `#/components/responses/${nameOf(status)}` }]
  })
  return Object.fromEntries(described)
}

function mediaTypes(patch: boolean, schema: Json): Json {
  return { ...(patch ? { 'application/merge-patch+json': { schema } } : {}), 'application/json': { schema } }
}

function queryParameters(schema: z.ZodMiniType, descriptions: Readonly<Record<string, string>>): Json[] {
  const { properties = {} } = toJson(schema, 'input') as { properties?: Record<string, Json> }
  return Object.entries(properties).map(([name, property]) => ({ name, in: 'query', description: descriptions[name] ?? '', schema: property }))
}

function headerParameters({ idempotencyKey, ifMatch }: Operation): Json[] {
  const key = { name: 'Idempotency-Key', in: 'header', schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' } }
  return [
    ...(idempotencyKey === undefined
      ? []
      : [
          {
            ...key,
            required: idempotencyKey === 'required',
            description: 'Makes the request repeatable for 24 hours: the same key and content, the same answer.',
          },
        ]),
    ...(ifMatch
      ? [{ name: 'If-Match', in: 'header', required: true, description: '`ETag` of what is to be changed.', schema: { type: 'string' } }]
      : []),
  ]
}

function describeAnswer({ answer: { status, description, schema, headers = [] } }: Operation, named: ApiDescription['named']): Json {
  return {
    [status]: {
      description,
      headers: pick([...headers, 'x-request-id']),
      ...(schema === undefined ? {} : { content: { 'application/json': { schema: toJson(schema, 'output', named) } } }),
    },
  }
}

/** An error that an operation may be answered with; `own` when the words are about that operation alone. */
type OneProblem = readonly [status: number, description: string, own?: boolean]

function problemsOf({ query, body, missing, conflicts, ifMatch }: Operation): OneProblem[] {
  const content = query !== undefined || body !== undefined
  const all: readonly (readonly [boolean, ...OneProblem])[] = [
    [content, 400, 'It cannot be read.'],
    [true, 401, 'There is no valid key.'],
    [true, 403, 'The key lacks the scope.'],
    [missing !== undefined, 404, missing ?? '', true],
    [conflicts !== undefined, 409, conflicts ?? '', true],
    [ifMatch === true, 412, 'It was changed meanwhile.'],
    [body !== undefined, 413, 'It is longer than the platform carries.'],
    [body !== undefined, 415, 'It is not JSON, or has a content encoding.'],
    [content, 422, 'It can be read, but is not what it has to be.'],
    [ifMatch === true, 428, 'If-Match is missing.'],
    [true, 500, 'Something went wrong on our side.'],
    [true, 503, 'The database is away or too busy.'],
    [true, 504, 'The time for it ran out.'],
  ]
  return all.flatMap(([applies, ...problem]) => (applies ? [problem] : []))
}

function nameOf(status: number): string {
  return `Problem${status}`
}

function describeProblem(status: number, description: string): Json {
  const headers = [
    ...(status === 401 || status === 403 ? ['www-authenticate'] : []),
    ...(status === 409 || status === 503 ? ['retry-after'] : []),
    'x-request-id',
  ]
  return { description, headers: pick(headers), content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } }
}

function pick(names: readonly string[]): Json {
  return Object.fromEntries(names.map(name => [name, HEADERS[name]]))
}

// A number in a query is text that is read as one; what has a name is described once.
function toJson(schema: z.ZodMiniType, io: 'input' | 'output', named: ApiDescription['named'] = new Map()): Json {
  const { $schema: _, ...described } = z.toJSONSchema(schema, {
    io,
    override: ({ zodSchema, jsonSchema }) => {
      const name = named.get(zodSchema)
      if (name === undefined && zodSchema !== (limitSchema as unknown)) return
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key]
      if (name === undefined) Object.assign(jsonSchema, { type: 'integer', minimum: 1, maximum: 100, default: 20 })
      else jsonSchema.$ref = `#/components/schemas/${name}`
    },
  })
  return described
}
