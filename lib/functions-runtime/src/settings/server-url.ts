import { holdsPlaceholder, isPlaceholder } from './placeholder.ts'

/** How the URL of one kind of server is written. */
export interface UrlForm {
  /** What it may begin with, in lower case. */
  readonly schemes: readonly string[]
  readonly example: string
  /** Command lines that consoles offer to copy in place of the URL. */
  readonly command: RegExp
  /** What else is found in the place of such a URL, and why it is refused. The first that matches counts. */
  readonly others: readonly (readonly [pattern: RegExp, refusal: string])[]
}

/** A URL in parts: decoded, apart from `path`. What it does not have is an empty text. */
export interface UrlParts {
  readonly scheme: string
  /** Whether there is anything before an `@`, even if it is empty. */
  readonly login: boolean
  readonly user: string
  readonly password: string
  /** Without the brackets of an IPv6 address; the folder of a socket begins with `/`. */
  readonly host: string
  readonly port: number | undefined
  /** What follows the first `/` after the host. */
  readonly path: string
  readonly parameters: readonly (readonly [name: string, value: string])[]
  /** What is wrong with these parts. */
  readonly refusals: readonly string[]
}

const NOT_FILLED_IN = 'has a placeholder that was not filled in: write the value itself'
const QUOTED = 'has quotation marks around it: write it without them'
const HIGHEST_PORT = 65_535
const QUOTE = /^["'`‘’“”«»]|["'`‘’“”«»]$/
const ASSIGNMENT = /^(?:export\s+|set\s+|\$env:)?\w+(?:\s*=\s*|:\s+)["'`]?[\w+]+:\/\//i

/**
 * Takes a URL apart without what `new URL` does in silence: it drops line ends, encodes an `@` in a password, and takes
 * any text for a host. A refusal reads on after the variable's name and repeats nothing of the URL.
 */
export function takeApart(text: string, form: UrlForm): UrlParts | { refused: string } {
  const url = text.trim()
  const refused = refusePaste(url, form)
  if (refused !== undefined) return { refused }

  const start = url.indexOf('://')
  const rest = url.slice(start + 3)
  const at = rest.lastIndexOf('@')
  const login = rest.slice(0, Math.max(at, 0))
  const unescaped = [...new Set(login.match(/[@/?#]/g))]
  if (unescaped.length > 0) {
    const encoded = unescaped.map(encodeURIComponent)
    return { refused: `has ${listed(unescaped)} unescaped in its user or password: write ${listed(encoded)} instead` }
  }

  const [, server = '', path = '', query = '', hash] = /^([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?(#)?/.exec(rest.slice(at + 1)) ?? []
  const [, user = '', password = ''] = /^([^:]*):?(.*)$/.exec(login) ?? []
  const refusals: string[] = []
  const decode = (part: string, encoded: string) => decodePart(part, encoded, refusals)
  const parts = {
    scheme: url.slice(0, start).toLowerCase(),
    login: at >= 0,
    user: decode('user', user),
    password: decode('password', password),
    ...readServer(server, refusals),
    path,
    parameters: [...new URLSearchParams(query)],
    refusals,
  }
  if (hash !== undefined) refusals.push('has an unescaped # after its host: remove it, or write %23')
  return parts
}

/** Decodes a part of a URL; adds to `refusals` what cannot be decoded or may not stand there. */
export function decodePart(part: string, encoded: string, refusals: string[]): string {
  try {
    const text = decodeURIComponent(encoded)
    if (/\p{Cc}/u.test(text)) refusals.push(`has a line end or a control character, encoded, in its ${part}: remove it`)
    return text
  } catch {
    refusals.push(`has a percent sign in its ${part} that encodes nothing: write %25 instead`)
    // Only what is not there is empty.
    return encoded
  }
}

/** Reads a host that stands by itself, without a port. */
export function readHost(text: string): { host: string } | { refused: string } {
  const host = text.trim()
  if (holdsPlaceholder(host)) return { refused: NOT_FILLED_IN }
  if (QUOTE.test(host)) return { refused: QUOTED }
  if (host.includes('://')) return { refused: 'is a URL: write only its host' }
  if (/^[^:]+:\d+$|\]:\d+$/.test(host)) return { refused: 'has a port: write it into a variable of its own' }
  const refused = host.startsWith('/') ? undefined : refuseHost(/:.*:/.test(host) && !host.startsWith('[') ? `[${host}]` : host)
  return refused === undefined ? { host: host.replace(/^\[|\]$/g, '') } : { refused }
}

/** Why the name of a database or of a user, standing by itself, cannot be one. */
export function refuseName(text: string): string | undefined {
  return /^["'`\s]|["'`\s]$/.test(text) ? 'has a blank or a quotation mark around it: remove it' : refusePassword(text)
}

/** Why a password, standing by itself, cannot be one. */
export function refusePassword(text: string): string | undefined {
  if (isPlaceholder(text)) return NOT_FILLED_IN
  return /\p{Cc}/u.test(text) ? 'has a line end or a control character in it: remove it' : undefined
}

function refuseHost(host: string): string | undefined {
  if (host.includes(',')) return 'has several hosts: write only one, that of the primary or of the connection pool'
  if (/^[\p{L}\p{N}._-]*$/u.test(host)) return undefined
  if (/^\[[0-9a-f:.]+\]$/i.test(host) && URL.canParse(`http://${host}`)) return undefined
  return 'has a host that is neither a name nor an address: write the host as the console shows it'
}

/** Why a parameter is refused; `instead` says what to do about those that are known from elsewhere. */
export function refuseParameter(name: string, { login }: UrlParts, instead: Readonly<Record<string, string>>): string {
  const known = name.toLowerCase()
  if (Object.hasOwn(instead, known)) return `has the parameter ${known}, which is not read: ${instead[known]}`
  // Without an @ this may be the rest of a password that was cut off.
  if (login && /^[a-z][a-z_]{1,40}$/.test(name)) return `has the parameter ${name}, which is not read: remove it`
  return 'has a parameter that is not read: remove it (in a password, write ? as %3F)'
}

function refusePaste(url: string, { schemes, example, command, others }: UrlForm): string | undefined {
  if (holdsPlaceholder(url)) return `${NOT_FILLED_IN} (in a password, write $ { < [ as %24 %7B %3C %5B)`
  if (command.test(url)) return `is a command line: write only the URL, ${example}`
  if (ASSIGNMENT.test(url)) return 'begins with the name of a variable: write only what follows it'
  if (QUOTE.test(url)) return QUOTED
  if (/:[*•]{3,}@/.test(url)) return 'has asterisks for its password: have the console show the password, then copy again'
  const other = others.find(([pattern]) => pattern.test(url))
  if (other !== undefined) return other[1]
  if (/[\s\p{Cc}\p{Cf}]/u.test(url)) return 'has a blank, a line end or an invisible character in it: remove it (in a password, write a blank as %20)'
  if (/^\w+%3a%2f%2f/i.test(url)) return 'is percent-encoded as a whole: encode only what is in its parts'
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase()
  if (scheme === undefined) return `has no scheme: write ${example}`
  return schemes.includes(scheme) ? undefined : `does not begin with ${schemes.map(one => `${one}://`).join(' or ')}: write ${example}`
}

function readServer(server: string, refusals: string[]): { host: string; port: number | undefined } {
  if (/^[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*$/i.test(server)) {
    refusals.push('has an IPv6 address without brackets: write [address]')
    return { host: server, port: undefined }
  }
  const [, name = server, port] = /^(\[.*\]|[^:]*)(?::(.*))?$/.exec(server) ?? []
  const host = decodePart('host', name, refusals)
  // libpq's way to write the folder of a socket.
  const refused = host.startsWith('/') ? undefined : refuseHost(server.includes(',') ? server : host)
  if (refused !== undefined) refusals.push(refused)
  else if (port === '') refusals.push('has a colon and no port after its host: write the port, or leave out the colon')
  else if (port !== undefined && !isPort(port))
    refusals.push(`has a port that is no number from 1 to ${HIGHEST_PORT}: write the one that the console shows`)
  return { host: host.replace(/^\[|\]$/g, ''), port: port === undefined ? undefined : Number(port) }
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= HIGHEST_PORT
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}
