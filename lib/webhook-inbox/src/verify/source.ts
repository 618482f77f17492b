import { createHash } from 'node:crypto'
import { NotFoundError } from '../../../functions-runtime/src/edge/http-errors.ts'
import type { WebhookHandler } from '../inbox/handler.ts'
import type { Place } from './place.ts'
import { digitalocean } from './schemes/digitalocean.ts'
import { github } from './schemes/github.ts'
import { hmac, type HmacDescription } from './schemes/hmac.ts'
import type { Scheme, SignedRequest } from './schemes/scheme.ts'
import { shopify } from './schemes/shopify.ts'
import { standard } from './schemes/standard.ts'
import { stripe } from './schemes/stripe.ts'

interface Common {
  /** The variable that holds the secrets shared with the sender; several, apart by blanks, while one is being replaced. */
  readonly secrets: string
  /** How far the sender's clock may be from ours, in either direction. Default 300. */
  readonly toleranceSeconds?: number
  /** After this long the sender has to have an answer. Default: what the function's own deadline leaves. */
  readonly answerWithinMs?: number
  /**
   * Makes the body unique within the source as well, for senders whose event id nobody signed: who captured a request cannot
   * send it again under another id. The price: two honest events with equal bodies count as one.
   */
  readonly replayGuard?: 'body'
  /** Handlers for the events of this source alone. For other types, and without this, its events reach the common handlers. */
  readonly handlers?: readonly WebhookHandler[]
  /** `false`: its events reach no common handler. Types without a handler in `handlers` are stored and ignored. Default true. */
  readonly commonHandlers?: boolean
  /**
   * The user that an event of any type is about, as the sender calls that user: for events without a handler, and for
   * handlers that do not say. `data` is not checked. Erasing that user then reaches the event.
   */
  readonly concerns?: (event: ConcernedEvent) => string | null | undefined
  /** JSON Pointer of what a handler gets as data; empty for the whole body. Default: by the scheme. */
  readonly data?: string
}

/** What a source decides on whom an event is about. */
export interface ConcernedEvent {
  /** Undefined when it could not be read. */
  readonly type: string | undefined
  readonly data: unknown
}

/** Where the event id is; `body` for senders that have none: a hash of source and body, never of a time stamp. */
export type EventIdPlace = Place | 'body'

/** Where a source has what every event needs. */
export interface Places {
  readonly eventId: EventIdPlace
  readonly type: Place
}

/** One sender. What a scheme defines may be left out; `digitalocean` and `hmac` define no places for id and type. */
export type SourceDefinition =
  | (Common & Partial<Places> & { readonly scheme: 'standard' | 'stripe' | 'github' | 'shopify' })
  | (Common & Places & { readonly scheme: 'digitalocean' })
  | (Common & Places & { readonly scheme: 'hmac' } & HmacDescription)

export type SchemeName = SourceDefinition['scheme']

const schemes = { standard, stripe, github, shopify, digitalocean } as const

export const schemeNames: readonly SchemeName[] = [...(Object.keys(schemes) as (keyof typeof schemes)[]), 'hmac']

/** The scheme that a source follows. */
export function schemeOf(definition: SourceDefinition): Scheme<unknown> {
  return definition.scheme === 'hmac' ? hmac(definition) : schemes[definition.scheme]
}

/** A source as far as its events can be read without its secrets. */
export interface DescribedSource {
  readonly name: string
  readonly scheme: SchemeName
  readonly eventId: EventIdPlace
  readonly type: Place
  /** JSON Pointer. */
  readonly data: string
  /** The field of a form that holds the JSON. */
  readonly formField?: string | undefined
  readonly handlers: ReadonlyMap<string, WebhookHandler>
  readonly concerns?: ((event: ConcernedEvent) => unknown) | undefined
  readonly answerWithinMs: number | undefined
  readonly replayGuard: 'body' | undefined
  /** Whether another delivery of an event may honestly have another body. */
  readonly bodyVaries: boolean
}

/** A source with its secrets read. */
export interface Source extends DescribedSource {
  /** @throws SignatureError with a code for each cause. */
  verify(request: SignedRequest): void
}

/** What makes a body unique within a source: SHA-256 over both, in hex. */
export function bodyDigest(source: string, body: Buffer): string {
  return createHash('sha256').update(`${source}\n`).update(body).digest('hex')
}

/** @throws NotFoundError for a name that is in no table, or not any more. */
export function sourceOf<Kind extends DescribedSource>(name: string, sources: ReadonlyMap<string, Kind>): Kind {
  const source = sources.get(name)
  if (source === undefined) throw new NotFoundError('No such webhook source.', 'source-unknown')
  return source
}
