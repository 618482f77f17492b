import { isDeepStrictEqual } from 'node:util'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats, { type FormatsPlugin } from 'ajv-formats'
import type { ApiMain } from '../../../functions-runtime/src/api/define-api.ts'
import type { Answer } from './answer.ts'

interface Header {
  readonly required?: boolean
  readonly schema: object
}
interface Response {
  readonly $ref?: string
  readonly headers?: Readonly<Record<string, Header>>
  readonly content?: Readonly<Record<string, unknown>>
}
type Paths = Readonly<Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, Response>> }>>>>

interface Contract {
  readonly paths: Paths
  readonly components: { readonly responses: Readonly<Record<string, Response>> }
}

const CONTRACT = '/openapi.json'
// Of a path or a method that the contract does not name, and of what fails before any operation is found.
const OUTSIDE = [404, 405, 503]

/** A contract, and what checks values by it. */
interface Checker {
  readonly contract: Contract
  errorsOf(pointer: string, value: unknown): string[]
}

const checkers = new Map<ApiMain, Promise<Checker>>()

/**
 * Holds an answer of an API against the contract that it gives out.
 * @throws Error when that does not allow the answer.
 */
export async function checkAnswer(main: ApiMain, request: { method: string; path: string }, answer: Answer): Promise<void> {
  const making = checkers.get(main) ?? createChecker(main)
  checkers.set(main, making)
  const violations = violationsOf(await making, request, answer)
  if (violations.length === 0) return
  throw new Error(`${request.method} answered ${answer.statusCode} against its contract: ${violations.join('; ')}\n${JSON.stringify(answer.body)}`)
}

async function createChecker(main: ApiMain): Promise<Checker> {
  const contract = (await main.contract()) as unknown as Contract
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  // What the package exports by default is, for Node, the module itself.
  ;(formats as unknown as { default: FormatsPlugin }).default(ajv)
  ajv.addSchema(contract, 'contract')
  const compiled = new Map<string, ValidateFunction>()
  return {
    contract,
    errorsOf(pointer, value) {
      let validate = compiled.get(pointer)
      if (validate === undefined) {
        validate = ajv.compile({ $ref: `contract${pointer.replaceAll('{', '%7B').replaceAll('}', '%7D')}` })
        compiled.set(pointer, validate)
      }
      return validate(value) ? [] : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
    },
  }
}

function violationsOf(checker: Checker, { method, path }: { method: string; path: string }, answer: Answer): string[] {
  const { contract, errorsOf } = checker
  const template = templateOf(contract, path)
  const verb = method === 'HEAD' ? 'get' : method.toLowerCase()
  if (template === CONTRACT && answer.statusCode === 200) return isDeepStrictEqual(answer.body, contract) ? [] : ['another document']
  const operation = template === undefined ? undefined : contract.paths[template]?.[verb]
  if (operation === undefined) {
    return [...(OUTSIDE.includes(answer.statusCode) ? [] : ['no such operation']), ...errorsOf('#/components/schemas/Problem', answer.body)]
  }
  const status = String(answer.statusCode)
  const named = operation.responses[status]
  if (named === undefined) return ['no such status']
  const response = (named.$ref === undefined ? named : contract.components.responses[named.$ref.split('/').at(-1) ?? '']) ?? {}
  const at = named.$ref ?? ['#', 'paths', template ?? '', verb, 'responses', status].map(escapePointer).join('/')
  return [...contentErrors(checker, response, at, answer), ...headerErrors(response, answer)]
}

function contentErrors({ errorsOf }: Checker, { content }: Response, at: string, { headers, body }: Answer): string[] {
  const mediaType = headers['content-type']
  if (content === undefined) return (body as unknown) === undefined && mediaType === undefined ? [] : ['a body']
  if (mediaType === undefined || content[mediaType] === undefined) return [`content type ${mediaType}`]
  // As it arrives: what JSON does not know is not there.
  return errorsOf(`${at}/content/${escapePointer(mediaType)}/schema`, JSON.parse(JSON.stringify(body)))
}

function headerErrors({ headers = {} }: Response, answer: Answer): string[] {
  return Object.entries(headers).flatMap(([name, { required }]) => (required && !answer.headers[name] ? [`no header ${name}`] : []))
}

/** The contract's own path for one that was called. */
function templateOf({ paths }: Contract, path: string): string | undefined {
  const segments = path.replace(/\/+$/, '').split('/').slice(1)
  if (segments.join('/') === CONTRACT.slice(1)) return CONTRACT
  // A word goes before a parameter.
  const inOrder = Object.keys(paths).sort((one, other) => one.split('{').length - other.split('{').length)
  return inOrder.find(template => {
    const parts = template === '/' ? [] : template.split('/').slice(1)
    return parts.length === segments.length && parts.every((part, index) => part.startsWith('{') || part === segments[index])
  })
}

function escapePointer(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1')
}
