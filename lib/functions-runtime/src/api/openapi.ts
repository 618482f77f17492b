import type { ApiDescription, Json } from './contract.ts'
import { at, createJsonSchemas, type JsonSchemas } from './json-schema.ts'
import { parameterNamesOf, type RoutedOperation } from './operation.ts'
import { describeHeaders, describeProblems, PROBLEM, sharedProblems } from './problems.ts'

const PARAMETERS: Readonly<Record<string, string>> = {
  limit: 'How many to give at most.',
  cursor: '`next` of the page before this one; good for the same list with the same filters.',
  'Idempotency-Key': 'Makes the request repeatable: the same key and content, the same answer.',
  'If-Match': '`ETag` of what is to be changed.',
}

/** Returns the contract of an API as an OpenAPI 3.1 document, made of the schemas that requests are checked with. */
export function describeApi(api: ApiDescription): Json {
  const { name, operations, title = name, version = '1.0.0', summary, description, license, servers = defaultServers, tags = {} } = api
  const json = createJsonSchemas(api.schemas ?? {}, new Set(operations.flatMap(({ body }) => body ?? [])))
  const describe = createDescriber(api, json)
  const paths: Record<string, Record<string, unknown>> = {}
  for (const operation of operations) {
    const [method = '', path = ''] = operation.route.split(' ')
    paths[path] = { ...paths[path], [method.toLowerCase()]: at(operation.route, () => describe(operation)) }
  }
  const groups = [...new Set(operations.map(operation => tagOf(operation, name)))]
  const scopes = [...new Set(operations.flatMap(({ scope }) => scope ?? []))]
  const keyed = operations.some(({ open }) => !open)
  return {
    openapi: '3.1.0',
    info: { title, version, ...defined({ summary, description, license }) },
    servers: servers(name),
    ...(keyed && { security: [{ apiKey: [] }] }),
    tags: groups.map(group => ({ name: group, description: tags[group] ?? `Operations of ${group}.` })),
    paths,
    components: {
      ...(keyed && { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: keyNeeded(scopes) } } }),
      schemas: { ...json.components(), Problem: PROBLEM },
      responses: sharedProblems(operations),
    },
  }
}

function createDescriber({ name, parameters = {} }: ApiDescription, json: JsonSchemas): (operation: RoutedOperation) => Json {
  const describe = (parameter: string, own?: unknown) => parameters[parameter] ?? own ?? PARAMETERS[parameter] ?? `${wordsOf(parameter)}.`

  function parametersOf({ route, query, idempotencyKey, ifMatch }: RoutedOperation): Json[] {
    const { properties = {}, required = [] } = (query === undefined ? {} : json.toJson(query, 'input')) as {
      readonly properties?: Record<string, Json>
      readonly required?: readonly string[]
    }
    const header = (one: string, required: boolean, schema: Json) => ({ name: one, in: 'header', required, description: describe(one), schema })
    return [
      ...parameterNamesOf(route).map(one => ({ name: one, in: 'path', required: true, description: describe(one), schema: { type: 'string' } })),
      ...Object.entries(properties).map(([one, { description, ...schema }]) => ({
        name: one,
        in: 'query',
        ...(required.includes(one) && { required: true }),
        description: describe(one, description),
        schema,
      })),
      ...(idempotencyKey === undefined
        ? []
        : [header('Idempotency-Key', idempotencyKey === 'required', { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' })]),
      ...(ifMatch ? [header('If-Match', true, { type: 'string' })] : []),
    ]
  }

  return operation => {
    const { operationId, summary, scope, open, body, patch, answer } = operation
    return {
      operationId,
      summary,
      tags: [tagOf(operation, name)],
      description: open ? 'Needs no key.' : scope === undefined ? 'Needs a key, with any scope.' : `Needs a key with the scope \`${scope}\`.`,
      ...(open && { security: [] }),
      parameters: parametersOf(operation),
      ...(body && { requestBody: { required: true, content: mediaTypes(patch === true, json.toJson(body, 'input')) } }),
      responses: {
        [answer.status]: {
          description: answer.description,
          headers: describeHeaders([...(answer.headers ?? []), 'x-request-id']),
          ...(answer.schema && { content: { 'application/json': { schema: json.toJson(answer.schema, 'output') } } }),
        },
        ...describeProblems(operation),
      },
    }
  }
}

function tagOf({ route, tag }: RoutedOperation, name: string): string {
  const words = route.split('/').slice(1)
  return tag ?? words.find(word => word !== '' && !word.startsWith('{')) ?? functionOf(name)
}

function keyNeeded(scopes: readonly string[]): string {
  return scopes.length === 0 ? 'A key.' : `A key with the scope that the operation names: ${scopes.join(', ')}.`
}

function mediaTypes(patch: boolean, schema: Json): Json {
  return { ...(patch ? { 'application/merge-patch+json': { schema } } : {}), 'application/json': { schema } }
}

function defaultServers(name: string): readonly Json[] {
  return [
    {
      url: `https://{host}/api/v1/web/{namespace}/${name}`,
      description: 'A namespace of DigitalOcean Functions.',
      variables: { host: { default: 'faas-fra1-00000000.doserverless.co' }, namespace: { default: 'fn-00000000' } },
    },
    { url: `http://127.0.0.1:8080/${functionOf(name)}`, description: '`npm start`.' },
  ]
}

function functionOf(name: string): string {
  return name.split('/').at(-1) ?? name
}

// `orderId` reads as `Order id`.
function wordsOf(name: string): string {
  const words = name.replaceAll(/(?<=[a-z\d])(?=[A-Z])|[_-]+/g, ' ').toLowerCase()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

function defined(given: Json): Json {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}
