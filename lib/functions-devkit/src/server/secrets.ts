import { randomBytes } from 'node:crypto'
import { chmodSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What only this machine knows: made at the first start and kept with the data that depends on it. */
export interface LocalSecrets {
  /** Standard Webhooks form, for the source `demo`. */
  readonly webhookSecret: string
  readonly apiKey: string
  /** Of the database user that the functions connect as. */
  readonly databasePassword: string
}

/**
 * Reads the secrets from `secrets.json` in the folder, or makes them there at the first start, for their owner alone.
 * @throws Error when the file exists but is incomplete: new secrets would not fit what was signed and stored before.
 */
export function keepSecrets(folder: string): LocalSecrets {
  const file = join(folder, 'secrets.json')
  const kept = read(file)
  if (kept !== undefined) return kept
  // Written aside and linked into place: a start cut off half way leaves no incomplete file.
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(createSecrets(), undefined, 2)}\n`, { mode: 0o600 })
  try {
    linkSync(draft, file)
  } finally {
    rmSync(draft)
  }
  const made = read(file)
  if (made === undefined) throw new Error(`${file} vanished while it was made`)
  return made
}

function createSecrets(): LocalSecrets {
  return {
    webhookSecret: `whsec_${randomBytes(32).toString('base64')}`,
    apiKey: `key_${randomBytes(32).toString('base64url')}`,
    databasePassword: randomBytes(24).toString('base64url'),
  }
}

function read(file: string): LocalSecrets | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  // A copy or a restored backup may have come with wider rights.
  chmodSync(file, 0o600)
  const { webhookSecret, apiKey, databasePassword } = parse(text, file)
  for (const [name, value] of Object.entries({ webhookSecret, apiKey, databasePassword })) {
    if (typeof value !== 'string' || value === '') throw new Error(`${file} has no ${name}: restore it, or delete the folder it is in to begin anew`)
  }
  return { webhookSecret, apiKey, databasePassword } as LocalSecrets
}

function parse(text: string, file: string): Partial<LocalSecrets> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch (cause) {
    throw new Error(`${file} is not JSON: restore it, or delete the folder it is in to begin anew`, { cause })
  }
}
