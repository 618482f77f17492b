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

const MEANING = 'who may call the APIs: `name/scopes/sha256` of each key, separated by blanks; `npm run keys -- new <name> <scopes>` prints one'

// What separates entries and their parts stays out, and so does what a header would need quoted.
const SCOPE = '[A-Za-z0-9][A-Za-z0-9:._-]{0,63}'
const NO_SCOPES = '-'
const ENTRY = new RegExp(`^([\\w.-]{1,64})/(${NO_SCOPES}|${SCOPE}(?:,${SCOPE})*)/([0-9a-f]{64})$`)

/** What a scope looks like, in words. */
export const SCOPE_FORM = '1 to 64 letters, digits, and : . _ - behind the first'

/** Returns whether `API_KEYS` can hold a scope. */
export function isScope(text: string): boolean {
  return new RegExp(`^${SCOPE}$`).test(text)
}

/**
 * Who may call: entries `name/scope,scope/sha256`, separated by blanks; `-` stands for no scope. All functions get the same
 * entries, so each bears the scopes of the others.
 */
export const apiKeySettings = defineSettings({ API_KEYS: setting(requiredText(), MEANING) }, ({ API_KEYS: text }): ApiSettings => {
  const keys = readKeys(text)
  if (keys === undefined) throw new SettingIssues([{ variable: 'API_KEYS', reason: 'is not name/scopes/sha256, as `npm run keys -- new` prints it' }])
  return Object.freeze({ keys })
})

/** Returns the keys of the setting; `undefined` when an entry has another form. */
export function readKeys(text: string): readonly ApiKey[] | undefined {
  const keys = text.trim().split(/\s+/).map(readKey)
  const read = keys.filter(key => key !== undefined)
  return read.length === keys.length ? read : undefined
}

/** Returns the entry of the setting for a key. */
export function writeKey({ name, scopes, digest }: ApiKey): string {
  return `${name}/${scopes.length === 0 ? NO_SCOPES : scopes.join(',')}/${digest.toString('hex')}`
}

function readKey(text: string): ApiKey | undefined {
  const [, name, scopes, digest] = ENTRY.exec(text) ?? []
  if (name === undefined || scopes === undefined || digest === undefined) return undefined
  return { name, scopes: scopes === NO_SCOPES ? [] : scopes.split(','), digest: Buffer.from(digest, 'hex') }
}
