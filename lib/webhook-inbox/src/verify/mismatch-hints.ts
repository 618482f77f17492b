import type { SignedRequest } from './schemes/scheme.ts'
import type { MismatchHint } from './signature-error.ts'

// A forger makes us do this work as well: with longer bodies it is not done.
const LONGEST_TRIED_BYTES = 64 * 1024

export interface MismatchContext {
  /** The secrets as they stand in their variable. */
  readonly secrets: string
  /** Whether the signature is good for another body. */
  readonly fits: (body: Buffer) => boolean
}

/** Looks for the honest mistakes behind a signature that does not match. Nothing here makes it match. */
export function mismatchHints({ headers, body }: SignedRequest, { secrets, fits }: MismatchContext): MismatchHint[] {
  const declared = headers['content-length']
  const hints: Record<MismatchHint, boolean> = {
    // A function that is not deployed with `web: raw` gets its body taken apart, and here nothing is left of it.
    'body-empty': body.length === 0,
    'body-length-differs': declared !== undefined && /^\d+$/.test(declared) && Number(declared) !== body.length,
    'body-reserialised': body.length <= LONGEST_TRIED_BYTES && otherSpellings(body).some(fits),
    'secret-has-blanks': secrets !== secrets.trim(),
    'secret-has-quotes': /(^|\s)(["']).*\2(\s|$)/.test(secrets),
  }
  return (Object.keys(hints) as MismatchHint[]).filter(hint => hints[hint])
}

/** The same content as common senders would have written it, before somebody parsed and wrote it again. */
function otherSpellings(body: Buffer): Buffer[] {
  const text = body.toString('utf8')
  const trimmed = text.trim()
  const texts = new Set([trimmed, `${trimmed}\n`, `${trimmed}\r\n`, text.replaceAll('\r\n', '\n')])
  try {
    const value: unknown = JSON.parse(text)
    const compact = JSON.stringify(value)
    const pretty = JSON.stringify(value, undefined, 2)
    const spaced = spacedOut(value)
    for (const written of [compact, pretty, spaced]) for (const line of [written, asciiOnly(written), withEscapedSlashes(written)]) texts.add(line)
    texts.add(`${compact}\n`).add(`${pretty}\n`)
  } catch {
    // No JSON: only the ends and the line breaks can have been changed.
  }
  texts.delete(text)
  return [...texts].map(one => Buffer.from(one, 'utf8'))
}

// Python's default: a blank behind every comma and colon.
function spacedOut(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spacedOut).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([key, inner]) => `${JSON.stringify(key)}: ${spacedOut(inner)}`)
    .join(', ')}}`
}

function asciiOnly(text: string): string {
  return text.replace(/[^\0-\x7f]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

// PHP's default: slashes and everything beyond ASCII escaped.
function withEscapedSlashes(text: string): string {
  return asciiOnly(text).replaceAll('/', '\\/')
}
