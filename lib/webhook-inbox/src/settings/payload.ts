import { createHash } from 'node:crypto'
import { optionalText } from '../../../functions-runtime/src/settings/schemas.ts'
import { defineSettings, SettingIssues } from '../../../functions-runtime/src/settings/settings.ts'

/** A key that payloads are sealed with. */
export interface PayloadKey {
  /** Eight hexadecimal digits that stand beside what was sealed with it; they tell nothing about the key. */
  readonly id: string
  readonly key: Buffer
}

/** What payloads are sealed with, and what may open them; without a key they are stored as they are. */
export interface PayloadKeys {
  readonly current: PayloadKey | undefined
  readonly byId: ReadonlyMap<string, PayloadKey>
}

const KEY_BYTES = 32

/** Keys for what senders sent: the first seals, all of them open. */
export const payloadSettings = defineSettings({ PAYLOAD_KEY: optionalText() }, ({ PAYLOAD_KEY: text }): PayloadKeys => {
  const keys = (text?.trim().split(/\s+/) ?? []).map(readKey)
  const known = keys.filter(key => key !== undefined)
  if (known.length < keys.length) throw new SettingIssues([{ variable: 'PAYLOAD_KEY', reason: 'is not base64 of 32 bytes' }])
  return Object.freeze({ current: known[0], byId: new Map(known.map(key => [key.id, key])) })
})

function readKey(text: string): PayloadKey | undefined {
  const key = Buffer.from(text, 'base64')
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text) || key.length !== KEY_BYTES) return undefined
  return { id: createHash('sha256').update('payload key').update(key).digest('hex').slice(0, 8), key }
}
