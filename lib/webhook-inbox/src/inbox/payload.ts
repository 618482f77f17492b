import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { PayloadKeys } from '../settings/payload.ts'
import { ApplicationError } from '../../../functions-runtime/src/edge/http-errors.ts'

// The first byte says how the rest is to be read.
const PLAIN = 0
const SEALED = 1
const KEY_ID_BYTES = 4
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEAD_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES + TAG_BYTES

/** What was sealed cannot be opened: its key is not configured, or it is not what was sealed. */
export class PayloadUnreadableError extends ApplicationError {
  override readonly name = 'PayloadUnreadableError'
  constructor(code: 'payload-key-unknown' | 'payload-damaged', cause?: unknown) {
    super('What was stored of this event cannot be read.', { code, status: 500, cause })
  }
}

/**
 * Seals bytes with the current key: AES-256-GCM (NIST SP 800-38D) with a random nonce, the key's id in front. Bound to
 * what it belongs to, so that it opens nowhere else. Without a key the bytes stay as they are, behind a mark.
 */
export function seal(plain: Buffer, belongsTo: string, { current }: PayloadKeys): Buffer {
  if (current === undefined) return Buffer.concat([Buffer.of(PLAIN), plain])
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', current.key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(belongsTo))
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([Buffer.of(SEALED), Buffer.from(current.id, 'hex'), nonce, cipher.getAuthTag(), sealed])
}

/**
 * Opens what `seal` made, with whichever key that was.
 * @throws PayloadUnreadableError
 */
export function open(stored: Buffer, belongsTo: string, { byId }: PayloadKeys): Buffer {
  if (stored[0] === PLAIN) return stored.subarray(1)
  if (stored[0] !== SEALED || stored.length < HEAD_BYTES) throw new PayloadUnreadableError('payload-damaged')
  const known = byId.get(stored.subarray(1, 1 + KEY_ID_BYTES).toString('hex'))
  if (known === undefined) throw new PayloadUnreadableError('payload-key-unknown')
  const nonce = stored.subarray(1 + KEY_ID_BYTES, HEAD_BYTES - TAG_BYTES)
  try {
    const decipher = createDecipheriv('aes-256-gcm', known.key, nonce, { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(belongsTo))
      .setAuthTag(stored.subarray(HEAD_BYTES - TAG_BYTES, HEAD_BYTES))
    return Buffer.concat([decipher.update(stored.subarray(HEAD_BYTES)), decipher.final()])
  } catch (error) {
    throw new PayloadUnreadableError('payload-damaged', error)
  }
}

/** What the payload of an event belongs to. */
export function eventName({ source, id }: { source: string; id: string }): string {
  return `event\n${source}\n${id}`
}
