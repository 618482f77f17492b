import { createHash, timingSafeEqual } from 'node:crypto'
import { ForbiddenError, UnauthorizedError } from './http-errors.ts'

/** Somebody who may call: what is known of a key without the key. */
export interface KeyHolder {
  readonly name: string
  readonly scopes: readonly string[]
  /** SHA-256 of the key. */
  readonly digest: Buffer
}

/**
 * Finds who sends `Authorization: Bearer <key>`. Every key is compared, each in constant time and by its digest, so that
 * neither its length nor its place among the others shows.
 * @throws UnauthorizedError
 */
export function authenticate<Holder extends KeyHolder>(headers: Readonly<Record<string, string>>, holders: readonly Holder[]): Holder {
  const sent = bearerOf(headers)
  const challenge = { 'www-authenticate': 'Bearer' }
  if (sent === undefined) throw new UnauthorizedError('key-missing', 'An API key is needed: Authorization: Bearer <key>.', challenge)
  const digest = digestOf(sent)
  let found: Holder | undefined
  for (const holder of holders) if (timingSafeEqual(digest, holder.digest)) found = holder
  if (found === undefined) throw new UnauthorizedError('key-invalid', 'This API key is not valid.', challenge)
  return found
}

/** Whether `Authorization: Bearer <key>` holds one of the keys with these digests; each is compared in constant time. */
export function holdsKey(headers: Readonly<Record<string, string>>, digests: readonly Buffer[]): boolean {
  const digest = digestOf(bearerOf(headers) ?? '')
  return digests.map(known => timingSafeEqual(digest, known)).includes(true)
}

function bearerOf(headers: Readonly<Record<string, string>>): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
}

/** @throws ForbiddenError naming the scope that the key does not have. */
export function requireScope({ scopes }: KeyHolder, scope: string): void {
  if (!scopes.includes(scope)) throw new ForbiddenError(scope)
}

/** How a key is stored. */
export function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
