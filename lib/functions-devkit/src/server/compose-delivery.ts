import { randomBytes } from 'node:crypto'
import type { Place } from '../../../webhook-inbox/src/verify/place.ts'
import { schemeOf, type SourceDefinition } from '../../../webhook-inbox/src/verify/source.ts'
import { signDelivery } from './sign-delivery.ts'

export interface DeliveryOptions {
  readonly definition: SourceDefinition
  readonly secret: string
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
  readonly id?: string
  /** Epoch ms. */
  readonly sentAt?: number
}

export interface Delivery {
  readonly id: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Tells bodies apart where the source has no place in them for the id; data with a member of this name keeps its own. */
const MARK = 'delivery_id'

/** A signed delivery as its sender would make it: id, type and data are where the source has them. Another id makes another body. */
export function composeDelivery({ definition, secret, type, data, id = `evt_${freshId()}`, sentAt = Date.now() }: DeliveryOptions): Delivery {
  const scheme = schemeOf(definition)
  // A sender without ids tells its events apart by what is in them.
  const idPlace = definition.eventId === 'body' ? { pointer: '/id' } : (definition.eventId ?? scheme.eventId)
  const places: readonly [place: Place | undefined, value: string][] = [
    [idPlace, id],
    [definition.type ?? scheme.type, type],
  ]
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  let content: Record<string, unknown> = putAt({}, definition.data ?? scheme.data, data)
  for (const [place, value] of places) {
    if (place === undefined) continue
    if ('pointer' in place) content = putAt(content, place.pointer, value)
    else headers[place.header.toLowerCase()] = value
  }
  // A body counts once there: the same data would be the same event under any id.
  const idInBody = idPlace !== undefined && 'pointer' in idPlace
  if (definition.replayGuard === 'body' && !idInBody && !Object.hasOwn(content, MARK)) content = { ...content, [MARK]: id }
  const body = JSON.stringify(content)
  return { id, headers: { ...headers, ...signDelivery(definition, { id, body, sentAt, secret }) }, body }
}

/** A copy with the value at a JSON Pointer; objects on the way are made. The empty pointer merges an object in. */
function putAt(target: Readonly<Record<string, unknown>>, pointer: string, value: unknown): Record<string, unknown> {
  if (pointer === '') return { ...target, ...(value as Record<string, unknown>) }
  const [, step = '', ...rest] = pointer.split('/')
  const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
  if (rest.length === 0) return { ...target, [key]: value }
  const inner = target[key]
  return { ...target, [key]: putAt(typeof inner === 'object' && inner !== null ? { ...inner } : {}, `/${rest.join('/')}`, value) }
}

function freshId(): string {
  return randomBytes(9).toString('hex')
}
