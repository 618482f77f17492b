import { createHash, timingSafeEqual } from 'node:crypto'
import { UnauthorizedError } from '../errors.ts'

/**
 * Checks `Authorization: Bearer <key>` in constant time; both sides are hashed first, so that not even the key's
 * length shows.
 * @throws UnauthorizedError
 */
export function requireKey(headers: Readonly<Record<string, string>>, key: string): void {
  const sent = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
  const challenge = { 'www-authenticate': 'Bearer' }
  if (sent === undefined) throw new UnauthorizedError('key-missing', 'An API key is needed: Authorization: Bearer <key>.', challenge)
  if (!timingSafeEqual(digest(sent), digest(key))) throw new UnauthorizedError('key-invalid', 'This API key is not valid.', challenge)
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
