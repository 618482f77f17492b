import type { Place } from '../place.ts'

/** A delivery as it came: the bytes are what was signed, so nothing may have touched them. */
export interface SignedRequest {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** What one text of a secrets' variable turns out to be. `refused` reads on after the variable's name. */
export type SecretReading<Key> = { readonly key: Key; readonly weak?: boolean } | { readonly refused: string }

export interface VerifyOptions<Key> {
  /** More than one while a secret is being replaced: one that fits is enough. */
  readonly keys: readonly Key[]
  /** How far the sender's clock may be from ours, in either direction, in ms. */
  readonly toleranceMs?: number
  readonly now?: () => number
}

/** How a kind of sender signs, and where it puts what a delivery is about. */
export interface Scheme<Key> {
  readSecret(secret: string): SecretReading<Key>
  /** @throws SignatureError with a code for each cause. */
  verify(request: SignedRequest, options: VerifyOptions<Key>): void
  /** Whether another delivery of an event may honestly have another body. */
  readonly bodyVaries?: true
  /** Where the event id is, unless the source says otherwise. */
  readonly eventId?: Place
  /** Where the type is, unless the source says otherwise. */
  readonly type?: Place
  /** JSON Pointer of what a handler gets as data, unless the source says otherwise; empty for the whole body. */
  readonly data: string
  /** The field that holds the JSON when a body is a form in URL encoding. Without it such bodies are parked. */
  readonly formField?: string
}
