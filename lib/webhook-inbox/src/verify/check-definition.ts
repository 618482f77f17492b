import { checkHandlers } from '../inbox/check-handlers.ts'
import { DIGEST_BYTES } from './schemes/digest.ts'
import { schemeNames, schemeOf, type Places, type SourceDefinition } from './source.ts'

type Given = Readonly<Record<string, unknown>>
type FieldOf<Definition> = Definition extends unknown ? keyof Definition : never

/** A field that may be absent: whether a value fits, and what it has to be. */
interface Optional {
  readonly fits: (value: unknown) => boolean
  readonly told: string
}

const ENCODINGS = ['hex', 'base64']
const UNITS = ['s', 'ms', undefined]
// A secret must never be taken for the name of a variable: messages repeat names.
const VARIABLE = /^(?!wh(sec|pk|sk)_)[A-Za-z_][A-Za-z0-9_]*$/
// A day: what is older than that is no delay of the wire.
const LONGEST_TOLERANCE_S = 86_400

// Each has a check of its own, whose message says more.
const OF_EVERY_SCHEME = ['scheme', 'secrets', 'handlers'] as const
const OF_HMAC = ['signature', 'timestamp'] as const

const OPTIONAL: Readonly<Record<Exclude<FieldOf<SourceDefinition>, (typeof OF_EVERY_SCHEME | typeof OF_HMAC)[number]>, Optional>> = {
  eventId: { fits: value => value === 'body' || isPlace(value), told: '{ header }, { pointer } with a JSON Pointer such as /id, or body' },
  type: { fits: isPlace, told: '{ header } or { pointer } with a JSON Pointer such as /type' },
  data: { fits: isPointer, told: 'a JSON Pointer such as /data, or empty for the whole body' },
  concerns: { fits: value => typeof value === 'function', told: 'a function of the event' },
  commonHandlers: { fits: value => typeof value === 'boolean', told: 'true or false' },
  toleranceSeconds: { fits: value => isUpTo(value, LONGEST_TOLERANCE_S), told: `more than 0 and at most ${LONGEST_TOLERANCE_S}` },
  answerWithinMs: { fits: value => isUpTo(value, Number.MAX_SAFE_INTEGER), told: 'a number of milliseconds, more than 0' },
  replayGuard: { fits: value => value === 'body', told: 'body' },
}

/**
 * Checks all of a source's definition that does not depend on its name, and returns its places, which may be those of its scheme.
 * Without a name, messages name the source by its variable.
 * @throws TypeError that says which field is wrong, and what it has to be.
 */
export function checkDefinition(definition: unknown, name?: string): Places {
  const subject = subjectOf(definition, name)
  const refuse = (reason: string) => new TypeError(`${subject} ${reason}.`)
  if (!isObject(definition)) throw refuse('has to be an object with `scheme` and `secrets`')
  const { scheme, secrets, signature, timestamp, handlers } = definition
  if (!schemeNames.some(known => known === scheme)) throw refuse(`needs \`scheme\`, which is one of ${schemeNames.join(', ')}`)
  if (!isVariable(secrets)) throw refuse('needs `secrets`, the name of the environment variable that holds its secrets')
  if (scheme === 'hmac' && !isSignature(signature))
    throw refuse('needs `signature`: { header, algorithm: sha256 or sha512, encoding: hex or base64 }')
  if (scheme === 'hmac' && timestamp !== undefined && !isTimestamp(timestamp))
    throw refuse('has `timestamp`, which has to be { header, unit: s or ms, separator }')
  for (const [field, { fits, told }] of Object.entries(OPTIONAL)) {
    if (definition[field] !== undefined && !fits(definition[field])) throw refuse(`has \`${field}\`, which has to be ${told}`)
  }
  if (handlers !== undefined) checkHandlers(handlers, `${subject}: `)
  const known: readonly string[] = [...OF_EVERY_SCHEME, ...(scheme === 'hmac' ? OF_HMAC : []), ...Object.keys(OPTIONAL)]
  const unknown = Object.keys(definition).find(field => definition[field] !== undefined && !known.includes(field))
  if (unknown !== undefined) throw refuse(`has \`${unknown}\`, which is no field of its scheme. The fields are ${known.join(', ')}`)
  return checkAsAWhole(definition as unknown as SourceDefinition, refuse)
}

function checkAsAWhole(definition: SourceDefinition, refuse: (reason: string) => TypeError): Places {
  const { handlers, commonHandlers, eventId = schemeOf(definition).eventId, type = schemeOf(definition).type } = definition
  if (eventId === undefined || type === undefined) throw refuse('has to name the places of event id and type: `eventId` and `type`')
  // It could be meant either way, and one of them applies events that the other ignores.
  if (handlers?.length === 0 && commonHandlers === undefined)
    throw refuse('has no handler in `handlers`. Leave it out for the common handlers alone, or add `commonHandlers: false` to ignore every event')
  return { eventId, type }
}

function subjectOf(definition: unknown, name: string | undefined): string {
  if (name !== undefined) return `Source ${name}`
  return isObject(definition) && isVariable(definition['secrets']) ? `The source of ${definition['secrets']}` : 'A source'
}

function isVariable(secrets: unknown): secrets is string {
  return typeof secrets === 'string' && VARIABLE.test(secrets)
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

function isUpTo(value: unknown, most: number): boolean {
  return typeof value === 'number' && value > 0 && value <= most
}

function isObject(value: unknown): value is Given {
  return typeof value === 'object' && value !== null
}
