import { STATUS_CODES, validateHeaderName, validateHeaderValue } from 'node:http'
import { inspect } from 'node:util'
import { essenceOf, isBase64, isBinary, isJson } from '../../../../functions-runtime/src/edge/media-type.ts'
import { asPlain, isRecord, throughJson } from './result.ts'

/** What goes over the wire. A name can occur more than once (`set-cookie`). */
export interface HttpReply {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer
  /** What is wrong with what the function returned, for its author: the client is told less. */
  readonly mistake?: string
}

/** How a call ended: with what `main` resolved to, with what it threw, so that the platform discards the container, or before it began. */
export type CallEnd =
  | { readonly end: 'result'; readonly result: unknown }
  | { readonly end: 'thrown'; readonly error: unknown }
  | { readonly end: 'discarded'; readonly reason: string }
  | { readonly end: 'refused'; readonly status: number; readonly reason: string }

const NO_HTTP_ANSWER = "Response is not valid 'message/http'."
const NO_SUCH_CONTENT = 'Response type in header did not match generated content type.'
const NOT_PROCESSED = 'There was an error processing your request.'

// The server writes these itself; two framings in one answer would break the connection.
const FRAMING = new Set(['connection', 'content-length', 'keep-alive', 'transfer-encoding'])

/**
 * Turns the end of a web call into the answer that its client sees, by the rules of OpenWhisk's web actions.
 * What a function threw counts as a value under `error`, and an answer is made of that value.
 */
export function toHttpReply(ended: CallEnd, requestId: string): HttpReply {
  switch (ended.end) {
    case 'discarded':
      return platformError(400, NOT_PROCESSED, requestId)
    case 'refused':
      return platformError(ended.status, ended.reason, requestId)
    case 'thrown':
      return answerOf(asPlain(ended.error), requestId)
    case 'result': {
      const result = throughJson(ended.result === undefined ? {} : ended.result)
      if (!isRecord(result)) return { ...platformError(400, NOT_PROCESSED, requestId), mistake: `returned ${shortly(result)}, which is no object` }
      return answerOf('error' in result ? result.error : result, requestId)
    }
    default:
      return ended satisfies never
  }
}

/** An answer of the platform itself, in the form it gives them. */
export function platformError(status: number, reason: string, requestId: string): HttpReply {
  return { status, headers: [['content-type', 'application/json']], body: Buffer.from(JSON.stringify({ code: requestId, error: reason })) }
}

function answerOf(value: unknown, requestId: string): HttpReply {
  const unusable = (mistake: string) => ({ ...platformError(400, NO_HTTP_ANSWER, requestId), mistake })
  if (!isRecord(value)) return unusable(`returned an error in place of an answer: ${shortly(value)}`)
  const headers = headersOf(value.headers)
  const status = statusOf(value.statusCode)
  if (headers === undefined) return unusable(`returned headers that cannot be sent: ${shortly(value.headers)}`)
  if (status === undefined) return unusable(`returned a status that cannot be sent: ${shortly(value.statusCode)}`)
  const body = value.body ?? ''
  const others = headers.filter(([name]) => name !== 'content-type' && !FRAMING.has(name))
  if (body === '') return { status: status ?? 204, headers: others, body: Buffer.alloc(0) }
  const contentType = headers.find(([name]) => name === 'content-type')?.[1]
  const content = typeof body === 'string' ? textContent(body, contentType) : jsonContent(body, contentType)
  if (content === undefined) {
    const mistake = `returned a body that is not of its type, ${contentType}: ${shortly(body)}`
    return { ...platformError(400, NO_SUCH_CONTENT, requestId), mistake }
  }
  return { status: status ?? 200, headers: [...others, ['content-type', content.type]], body: content.bytes }
}

function shortly(value: unknown): string {
  return inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 200, maxArrayLength: 5 })
}

function jsonContent(body: unknown, contentType = 'application/json'): { type: string; bytes: Buffer } | undefined {
  return isJson(contentType) ? { type: contentType, bytes: Buffer.from(JSON.stringify(body)) } : undefined
}

function textContent(body: string, contentType = 'text/html; charset=UTF-8'): { type: string; bytes: Buffer } | undefined {
  // Old functions answer JSON as base64: a JSON text that could be base64 is taken for it, "true" and "1234" too.
  if (isJson(contentType)) return { type: contentType, bytes: isBase64(body) ? Buffer.from(body, 'base64') : Buffer.from(body) }
  if (!/^[^/\s]+\/[^/\s]+$/.test(essenceOf(contentType))) return undefined
  if (!isBinary(contentType)) return { type: withCharset(contentType), bytes: Buffer.from(body) }
  return isBase64(body) ? { type: contentType, bytes: Buffer.from(body, 'base64') } : undefined
}

function withCharset(contentType: string): string {
  return /;\s*charset\s*=/i.test(contentType) ? contentType : `${contentType}; charset=UTF-8`
}

/** `null` when there is none, `undefined` when it cannot be used. */
function statusOf(given: unknown): number | null | undefined {
  if (given === undefined) return null
  const status = typeof given === 'number' || (typeof given === 'string' && /^\d+$/.test(given)) ? Number(given) : Number.NaN
  // 1xx is not the end of an answer; of the rest only registered codes are let through.
  return status >= 200 && STATUS_CODES[status] !== undefined ? status : undefined
}

function headersOf(given: unknown): [string, string][] | undefined {
  if (given === undefined) return []
  if (!isRecord(given)) return undefined
  const headers: [string, string][] = []
  for (const [name, value] of Object.entries(given)) {
    for (const single of singles(value)) {
      if (!['string', 'number', 'boolean'].includes(typeof single) || !isSendable(name, String(single))) return undefined
      headers.push([name.toLowerCase(), String(single)])
    }
  }
  return headers
}

function singles(value: unknown): unknown[] {
  return Array.isArray(value) ? value.flatMap(singles) : [value]
}

function isSendable(name: string, value: string): boolean {
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    return true
  } catch {
    return false
  }
}
