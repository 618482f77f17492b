import * as z from 'zod/mini'
import { scopes } from '../../../app/settings/api.ts'
import { activitySchema } from '../../../app/activity/schema.ts'
import { limitSchema } from '../content/page.ts'
import { balanceSchema, transactionSchema } from '../../../app/transactions/schema.ts'
import { userSchema } from '../../../app/users/schema.ts'
import { operations } from '../../../app/api/operations.ts'
import type { Operation } from './operation.ts'

type Json = Readonly<Record<string, unknown>>

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

const PARAMETERS: Readonly<Record<string, Json>> = {
  userId: { name: 'userId', in: 'path', required: true, description: 'The id of a user.', schema: { type: 'string' } },
  transactionId: {
    name: 'transactionId',
    in: 'path',
    required: true,
    description: "The id of one of that user's transactions.",
    schema: { type: 'string' },
  },
}

const QUERY: Readonly<Record<string, string>> = {
  limit: 'How many to give at most.',
  cursor: '`next` of the page before this one; good for the same list with the same filters.',
  email: 'Of the user with this address, in whatever letter case.',
  externalId: 'Of the user with this external id.',
  createdAfter: 'Created after this instant.',
  createdBefore: 'Created before this instant.',
  kind: 'Of this kind.',
  status: 'In this state.',
}

const NAMED: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  [userSchema, 'User'],
  [activitySchema, 'Activity'],
  [transactionSchema, 'Transaction'],
  [balanceSchema, 'Balance'],
])

/** The contract of `api/user` as an OpenAPI 3.1 document, made of the schemas that requests are checked with. */
export function describeApi(): Json {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const [route, operation] of Object.entries(operations)) {
    const [method = '', path = ''] = route.split(' ')
    paths[path] = { ...paths[path], [method.toLowerCase()]: describeOperation(path, operation) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Users',
      version: '1.0.0',
      summary: 'Users, what they did, and their transactions.',
      description: 'Amounts are decimal text. Instants are RFC 3339 in UTC. Every error is a problem document with a stable `code`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [
      {
        url: 'https://{host}/api/v1/web/{namespace}/api/user',
        description: 'A namespace of DigitalOcean Functions.',
        variables: { host: { default: 'faas-fra1-00000000.doserverless.co' }, namespace: { default: 'fn-00000000' } },
      },
      { url: 'http://127.0.0.1:8080/user', description: '`npm start`.' },
    ],
    security: [{ apiKey: [] }],
    tags: [
      { name: 'users', description: 'Who the application knows.' },
      { name: 'activity', description: 'What they did.' },
      { name: 'transactions', description: 'What they paid, and what they have.' },
    ],
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer', description: `A key with the scope that the operation names: ${scopes.join(', ')}.` },
      },
      schemas: {
        ...Object.fromEntries([...NAMED].map(([schema, name]) => [name, toJson(schema as z.ZodMiniType, 'output', { named: false })])),
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

function describeOperation(path: string, operation: Operation): Json {
  const { operationId, summary, scope, body, patch, query } = operation
  return {
    operationId,
    summary,
    tags: [tagOf(path)],
    description: `Needs a key with the scope \`${scope}\`.`,
    parameters: [
      ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => PARAMETERS[name]),
      ...(query === undefined ? [] : queryParameters(query)),
      ...headerParameters(operation),
    ],
    ...(body === undefined ? {} : { requestBody: { required: true, content: mediaTypes(patch === true, toJson(body, 'input')) } }),
    responses: { ...describeAnswer(operation), ...describeProblems(operation) },
  }
}

function describeProblems(operation: Operation): Json {
  const described = problemsOf(operation).map(([status, description, own]): [string, Json] => {
    return [String(status), own ? describeProblem(status, description) : { $ref: `#/components/responses/${nameOf(status)}` }]
  })
  return Object.fromEntries(described)
}

function tagOf(path: string): string {
  if (path.endsWith('/activity')) return 'activity'
  return /\/(?:transactions|balances)/.test(path) ? 'transactions' : 'users'
}

function mediaTypes(patch: boolean, schema: Json): Json {
  return { ...(patch ? { 'application/merge-patch+json': { schema } } : {}), 'application/json': { schema } }
}

function queryParameters(schema: z.ZodMiniType): Json[] {
  const { properties = {} } = toJson(schema, 'input') as { properties?: Record<string, Json> }
  return Object.entries(properties).map(([name, property]) => ({ name, in: 'query', description: QUERY[name] ?? '', schema: property }))
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

function describeAnswer({ answer: { status, description, schema, headers = [] } }: Operation): Json {
  return {
    [status]: {
      description,
      headers: pick([...headers, 'x-request-id']),
      ...(schema === undefined ? {} : { content: { 'application/json': { schema: toJson(schema, 'output') } } }),
    },
  }
}

/** An error that an operation may be answered with; `own` when the words are about that operation alone. */
type OneProblem = readonly [status: number, description: string, own?: boolean]

function problemsOf({ query, body, about, conflicts, idempotencyKey, ifMatch }: Operation): OneProblem[] {
  const content = query !== undefined || body !== undefined
  const missing: Partial<Record<string, string>> = { user: 'No such user, or an erased one.', transaction: 'No such user or transaction.' }
  const all: readonly (readonly [boolean, ...OneProblem])[] = [
    [content, 400, 'It cannot be read.'],
    [true, 401, 'There is no valid key.'],
    [true, 403, 'The key lacks the scope.'],
    [about !== undefined || idempotencyKey !== undefined, 404, missing[about ?? ''] ?? 'The user that this key created was erased since.', true],
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
function toJson(schema: z.ZodMiniType, io: 'input' | 'output', { named = true } = {}): Json {
  const { $schema: _, ...described } = z.toJSONSchema(schema, {
    io,
    override: ({ zodSchema, jsonSchema }) => {
      const name = named ? NAMED.get(zodSchema) : undefined
      if (name === undefined && zodSchema !== (limitSchema as unknown)) return
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key]
      if (name === undefined) Object.assign(jsonSchema, { type: 'integer', minimum: 1, maximum: 100, default: 20 })
      else jsonSchema.$ref = `#/components/schemas/${name}`
    },
  })
  return described
}
