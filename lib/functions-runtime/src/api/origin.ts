import { isIP } from 'node:net'

/** Where a request says that it comes from. Anybody can write anything there: for people to read, never for a decision. */
export interface Origin {
  readonly ip: string | null
  readonly userAgent: string | null
}

const LONGEST_AGENT = 500

/** Reads the origin from headers: the leftmost address of `x-forwarded-for`, and the user agent in text that can be stored. */
export function readOrigin(headers: Readonly<Record<string, string>>): Origin {
  const first = headers['x-forwarded-for']?.split(',')[0]?.trim() ?? ''
  const agent = (headers['user-agent'] ?? '').replaceAll('\0', '').slice(0, LONGEST_AGENT).toWellFormed().trim()
  // A zone belongs to the machine that wrote it, and may be of any length.
  return { ip: isIP(first) !== 0 && !first.includes('%') ? first : null, userAgent: agent === '' ? null : agent }
}
