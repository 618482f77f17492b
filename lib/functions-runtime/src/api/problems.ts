import type { Json } from './contract.ts'
import { parameterNamesOf, type RoutedOperation } from './operation.ts'

/** Headers of responses, by name. */
const HEADERS: Readonly<Record<string, Json>> = {
  location: { description: 'Where the new thing is, relative to the URL that was called.', required: true, schema: { type: 'string' } },
  etag: { description: 'Tells this state of the thing from every other; for `If-Match`.', required: true, schema: { type: 'string' } },
  link: { description: '`rel="next"`: the page behind this one, relative to the URL that was called; not on the last.', schema: { type: 'string' } },
  'retry-after': { description: 'Seconds to wait.', schema: { type: 'string', pattern: '^[0-9]+$' } },
  'www-authenticate': { description: 'How to prove who one is, or what the key lacks.', required: true, schema: { type: 'string' } },
  'x-request-id': { description: 'Under this id the log has the request.', required: true, schema: { type: 'string' } },
}

/** The problem document as JSON Schema. */
export const PROBLEM: Json = {
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

/** An error that an operation may be answered with; `own` when the words are about that operation alone. */
type OneProblem = readonly [status: number, description: string, own?: boolean]

/** Returns the responses of an operation for its errors, by status. */
export function describeProblems(operation: RoutedOperation): Json {
  const described = problemsOf(operation).map(([status, description, own]): [string, Json] => {
    return [String(status), own ? describeProblem(status, description) : { $ref: `#/components/responses/${nameOf(status)}` }]
  })
  return Object.fromEntries(described)
}

/** Returns the responses that several operations share, by name. */
export function sharedProblems(operations: readonly RoutedOperation[]): Json {
  const shared = operations.flatMap(problemsOf).filter(([, , own]) => !own)
  return Object.fromEntries(shared.map(([status, description]) => [nameOf(status), describeProblem(status, description)]))
}

/** Returns the descriptions of response headers. */
export function describeHeaders(names: readonly string[]): Json {
  return Object.fromEntries(names.map(name => [name, HEADERS[name]]))
}

function problemsOf({ route, query, body, missing, conflicts, idempotencyKey, ifMatch, open, scope }: RoutedOperation): OneProblem[] {
  const content = query !== undefined || body !== undefined
  const named = parameterNamesOf(route).length > 0
  const busy = idempotencyKey === undefined ? undefined : 'Another request with this key is still being worked on.'
  const all: readonly (readonly [boolean, ...OneProblem])[] = [
    [content || idempotencyKey !== undefined || ifMatch === true, 400, 'It cannot be read.'],
    [!open, 401, 'There is no valid key.'],
    [scope !== undefined, 403, 'The key lacks the scope.'],
    [missing !== undefined || named, 404, missing ?? 'There is nothing with this id.', true],
    [conflicts !== undefined || busy !== undefined, 409, conflicts ?? busy ?? '', true],
    [ifMatch === true, 412, 'It was changed meanwhile.'],
    [body !== undefined, 413, 'It is longer than the platform carries.'],
    [body !== undefined, 415, 'It is not JSON, or has a content encoding.'],
    [content || idempotencyKey !== undefined, 422, 'It can be read, but is not what it has to be.'],
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
  return {
    description,
    headers: describeHeaders(headers),
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  }
}
