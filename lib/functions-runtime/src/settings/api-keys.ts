import { requiredText } from './schemas.ts'
import { defineSettings, setting, SettingIssues } from './settings.ts'

/** A key that may call the API, as the setting has it: the key itself is known to its holder alone. */
export interface ApiKey {
  /** Who holds it. Two keys with the same name are one caller, so that one can replace the other. */
  readonly name: string
  readonly scopes: readonly string[]
  /** SHA-256: a key is random and long, so a slow hash would add nothing. */
  readonly digest: Buffer
}

export interface ApiSettings {
  readonly keys: readonly ApiKey[]
}

const MEANING = 'who may call the API: `name/scopes/sha256` of each key, separated by blanks; `npm run keys -- new <name> <scopes>` prints one'

const ENTRY = /^([\w.-]{1,64})\/([a-z:,]+)\/([0-9a-f]{64})$/

/** Defines the setting of who may call an API with these scopes: entries `name/scope,scope/sha256`, separated by blanks. */
export function defineApiKeys(scopes: readonly string[]) {
  return defineSettings({ API_KEYS: setting(requiredText(), MEANING) }, ({ API_KEYS: text }): ApiSettings => {
    const keys = text.trim().split(/\s+/).map(readKey)
    const known = keys.filter(key => key !== undefined)
    if (known.length < keys.length) {
      throw new SettingIssues([{ variable: 'API_KEYS', reason: 'is not name/scopes/sha256, as `npm run keys -- new` prints it' }])
    }
    return Object.freeze({ keys: known })
  })

  function readKey(text: string): ApiKey | undefined {
    const [, name, granted, digest] = ENTRY.exec(text) ?? []
    if (name === undefined || granted === undefined || digest === undefined) return undefined
    const words = granted.split(',')
    const known = scopes.filter(scope => words.includes(scope))
    return known.length === words.length ? { name, scopes: known, digest: Buffer.from(digest, 'hex') } : undefined
  }
}

/** Returns the entry of the setting for a key. */
export function writeKey({ name, scopes: granted, digest }: ApiKey): string {
  return `${name}/${granted.join(',')}/${digest.toString('hex')}`
}
