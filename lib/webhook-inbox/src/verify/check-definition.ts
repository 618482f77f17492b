import { checkHandlers } from '../inbox/check-handlers.ts'
import { DIGEST_BYTES } from './schemes/digest.ts'
import { schemeNames } from './source.ts'

type Fields = Readonly<Record<string, unknown>>

const ENCODINGS = ['hex', 'base64']
const UNITS = ['s', 'ms', undefined]
// A secret must never be taken for the name of a variable: messages repeat names.
const VARIABLE = /^(?!wh(sec|pk|sk)_)[A-Za-z_][A-Za-z0-9_]*$/

/** @throws TypeError that says which field of a source is wrong, and what it has to be. */
export function checkDefinition(name: string, definition: unknown): void {
  const refuse = (reason: string) => new TypeError(`Source ${name} ${reason}.`)
  if (!isObject(definition)) throw refuse('has to be an object with `scheme` and `secrets`')
  const { scheme, secrets, signature, timestamp, eventId, type, data, concerns, handlers } = definition
  if (!schemeNames.some(known => known === scheme)) throw refuse(`needs \`scheme\`, which is one of ${schemeNames.join(', ')}`)
  if (typeof secrets !== 'string' || !VARIABLE.test(secrets))
    throw refuse('needs `secrets`, the name of the environment variable that holds its secrets')
  if (scheme === 'hmac' && !isSignature(signature))
    throw refuse('needs `signature`: { header, algorithm: sha256 or sha512, encoding: hex or base64 }')
  if (scheme === 'hmac' && timestamp !== undefined && !isTimestamp(timestamp))
    throw refuse('has `timestamp`, which has to be { header, unit: s or ms, separator }')
  if (eventId !== undefined && eventId !== 'body' && !isPlace(eventId))
    throw refuse('has `eventId`, which has to be { header }, { pointer } with a JSON Pointer such as /id, or body')
  if (type !== undefined && !isPlace(type)) throw refuse('has `type`, which has to be { header } or { pointer } with a JSON Pointer such as /type')
  if (data !== undefined && !isPointer(data)) throw refuse('has `data`, which has to be a JSON Pointer such as /data, or empty for the whole body')
  if (concerns !== undefined && typeof concerns !== 'function') throw refuse('has `concerns`, which has to be a function of the event')
  if (handlers !== undefined) checkHandlers(handlers, `Source ${name}: `)
}

function isSignature(signature: unknown): boolean {
  if (!isObject(signature)) return false
  const { header, algorithm, encoding } = signature
  return isName(header) && typeof algorithm === 'string' && Object.hasOwn(DIGEST_BYTES, algorithm) && ENCODINGS.includes(encoding as string)
}

function isTimestamp(timestamp: unknown): boolean {
  if (!isObject(timestamp)) return false
  const { header, unit, separator } = timestamp
  return isName(header) && UNITS.includes(unit as string | undefined) && (separator === undefined || typeof separator === 'string')
}

function isPlace(place: unknown): boolean {
  if (!isObject(place)) return false
  return 'pointer' in place ? isPointer(place['pointer']) : isName(place['header']) && (place['or'] === undefined || isName(place['or']))
}

function isPointer(pointer: unknown): boolean {
  return typeof pointer === 'string' && (pointer === '' || pointer.startsWith('/'))
}

function isName(name: unknown): boolean {
  return typeof name === 'string' && name !== ''
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}
