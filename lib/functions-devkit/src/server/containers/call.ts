import { contextVariables, type CallContext } from '../platform/context.ts'
import { LARGEST_PAYLOAD } from '../platform/limits.ts'
import { type CallEnd } from '../platform/response.ts'
import { isRecord } from '../platform/result.ts'
import { type PostAnswer } from './post.ts'
import { THROWN_HEADER } from './protocol.ts'

/** The variables of a call as they go over the wire: `__OW_ACTIVATION_ID` as `activation_id`. */
export function runParameters(context: CallContext): Record<string, string> {
  return Object.fromEntries(Object.entries(contextVariables(context)).map(([name, value]) => [name.replace('__OW_', '').toLowerCase(), value]))
}

/** How a call ended, by the answer of its container. */
export function readEnd({ status, headers, size, text }: PostAnswer): CallEnd {
  if (text === undefined) {
    const error = `The action produced a response that exceeded the allowed length: ${size} > ${LARGEST_PAYLOAD} bytes.`
    return { end: 'result', result: { error } }
  }
  const body = JSON.parse(text) as unknown
  if (status !== 200) return { end: 'discarded', reason: `was ended: ${errorOf({ text })}` }
  if (headers[THROWN_HEADER] === undefined || !isRecord(body)) return { end: 'result', result: body }
  return { end: 'thrown', error: revived(body.error) }
}

/** An error in place of its name, message, stack and own fields, so that it is printed as one. */
function revived(error: unknown): unknown {
  if (!isRecord(error) || typeof error.stack !== 'string' || typeof error.message !== 'string') return error
  const { name, message, stack, ...fields } = error
  const made = Object.assign(new Error(message), fields)
  for (const [key, value] of Object.entries({ name, stack })) Object.defineProperty(made, key, { value, configurable: true, writable: true })
  return made
}

/** What the runtime says is wrong. */
export function errorOf({ text }: Pick<PostAnswer, 'text'>): string {
  return String((JSON.parse(text ?? '{}') as { error?: unknown }).error)
}
