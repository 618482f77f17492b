import { createHash } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import { ApplicationError } from '../edge/http-errors.ts'

/** A request that may be repeated: the call that stores this first does what it asks for, and every other gets that answer. */
export interface Claim {
  /** Of this call alone: the row with this id proves that this call has done it. */
  readonly id: string
  /** Name of the API key. */
  readonly caller: string
  /** What the caller calls the request. */
  readonly key: string
  readonly requestHash: Buffer
}

const RETRY_AFTER_MS = 2_000

/** Makes the claim for one call; `request` is what was asked for, where and with which content. */
export function createClaim({ caller, key, request }: { caller: string; key: string; request: readonly unknown[] }): Claim {
  return { id: uuidv7(), caller, key, requestHash: sha256(request) }
}

/** Returns a UUID (version 8, RFC 9562) that every call of this caller with this key has in common. */
export function rowIdOf({ caller, key }: Pick<Claim, 'caller' | 'key'>): string {
  const bytes = sha256([caller, key]).subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** @throws ApplicationError 422 `idempotency-key-reused` unless the stored hash is that of this request. */
export function requireSameRequest({ requestHash }: Pick<Claim, 'requestHash'>, stored: Buffer | null | undefined): void {
  if (stored && requestHash.equals(stored)) return
  throw new ApplicationError('This idempotency key was used for another request.', { code: 'idempotency-key-reused', status: 422 })
}

/** Returns the error 409 `request-in-progress`, for a call whose time ran out while another with its key was being worked on. */
export function requestInProgress(cause: Error): ApplicationError {
  return new ApplicationError('Another request with this idempotency key is still being worked on.', {
    code: 'request-in-progress',
    status: 409,
    retryable: true,
    retryAfterMs: RETRY_AFTER_MS,
    cause,
  })
}

function sha256(value: unknown): Buffer {
  return createHash('sha256').update(JSON.stringify(value)).digest()
}
