import type { Scheme } from '../../../webhook-inbox/src/verify/schemes/scheme.ts'

/** The keys of secrets that a scheme takes. */
export function keysOf<Key>(scheme: Scheme<Key>, ...secrets: string[]): Key[] {
  return secrets.map(secret => {
    const reading = scheme.readSecret(secret)
    if ('refused' in reading) throw new Error(`the secret ${reading.refused}`)
    return reading.key
  })
}

/** The code of what is thrown, or `accepted`. Anything but an error of ours comes through. */
export function codeOf(verify: () => void): string {
  try {
    verify()
    return 'accepted'
  } catch (error) {
    const { code, status } = error as { code?: string; status?: number }
    if (code === undefined || status === undefined) throw error
    return code
  }
}
