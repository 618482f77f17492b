import { randomBytes } from 'node:crypto'
import type { FreshId, SampleRequest, Samples } from '../../../functions-runtime/src/api/samples.ts'
import { standardHeaders } from './sign-delivery.ts'

/** For how long the receiver accepts a signature, by the recommendation of Standard Webhooks. */
const SIGNATURE_LIFE_MS = 300_000

export interface SampleOptions {
  readonly samples: Samples
  /** Whether the application has sources of webhooks. */
  readonly receivesWebhooks?: boolean
  /** Without a slash at its end. */
  readonly address: string
  readonly webhookSecret: string
  readonly apiKey: string
  readonly now?: () => number
  /** Makes an id that was not there before. */
  readonly freshId?: () => string
}

/** Commands to paste into a shell, each on one line. */
export interface SampleCommands {
  /** Undefined for an application that receives no webhooks. */
  readonly webhook: string | undefined
  readonly requests: readonly { readonly title: string; readonly command: string }[]
  /** Until when the signature in `webhook` is good. */
  readonly goodUntil: Date
}

/** Makes commands that send a signed event and the application's sample requests; every set has ids of its own. */
export function createSamples({
  samples,
  receivesWebhooks = true,
  address,
  webhookSecret,
  apiKey,
  now = Date.now,
  freshId = randomId,
}: SampleOptions): SampleCommands {
  const sentAt = now()
  const { eventType: type } = samples
  const idOf = namedIds(freshId)
  const event = { type, timestamp: new Date(sentAt).toISOString(), data: samples.eventData(type, idOf) }
  const body = JSON.stringify(event)
  const headers = standardHeaders({ id: `msg_${freshId()}`, sentAt, body, secret: webhookSecret })
  // The receiver counts in whole seconds.
  const goodUntil = new Date(Math.floor(sentAt / 1000) * 1000 + SIGNATURE_LIFE_MS)
  return {
    webhook: receivesWebhooks ? curl('POST', shellQuote(`${address}/webhook/demo`), headers, body) : undefined,
    requests: samples.requests.map(request => ({ title: request.title, command: commandOf(request, { address, apiKey, idOf }) })),
    goodUntil,
  }
}

interface CommandOptions {
  readonly address: string
  readonly apiKey: string
  readonly idOf: FreshId
}

function commandOf({ method, path, lookUp, body }: SampleRequest, { address, apiKey, idOf }: CommandOptions): string {
  const authorization = { authorization: `Bearer ${apiKey}` }
  const url = shellQuote(`${address}${path}`)
  if (lookUp === undefined) return curl(method, url, authorization, body && JSON.stringify(body(idOf)))
  const list = ['curl', '-sS', '-H', `authorization: Bearer ${apiKey}`, `${address}${lookUp(idOf)}`].map(shellQuote).join(' ')
  const found = `$(${list} | sed -n 's/.*"id":"\\([^"]*\\)".*/\\1/p')`
  const parts = `${address}${path}`.split('{id}').map(part => (part === '' ? '' : shellQuote(part)))
  return curl(method, parts.join(`"${found}"`), authorization, body && JSON.stringify(body(idOf)))
}

/** Returns the same id for a name each time. */
function namedIds(freshId: () => string): FreshId {
  const named = new Map<string, string>()
  return name => {
    if (name === undefined) return freshId()
    const id = named.get(name) ?? freshId()
    named.set(name, id)
    return id
  }
}

/** Quotes a word so that a POSIX shell takes every character for itself. */
export function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

/** `url` is quoted for the shell. */
function curl(method: string, url: string, headers: Readonly<Record<string, string>>, body?: string): string {
  const all = { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers }
  const flags = Object.entries(all).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  // --data-raw, because --data takes a leading @ for a file, and which makes it a POST; -w shows the status after the body.
  const data = body === undefined ? [] : ['--data-raw', body]
  const verb = method === (body === undefined ? 'GET' : 'POST') ? [] : ['-X', method]
  const words = ['curl', '-sS', ...verb, '-w', String.raw` (%{http_code})\n`, ...flags, ...data]
  return [...words.map(shellQuote), url].join(' ')
}

/** 72 random bits in hexadecimal digits. */
export function randomId(): string {
  return randomBytes(9).toString('hex')
}
