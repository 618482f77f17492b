import { randomBytes } from 'node:crypto'
import { standardHeaders } from './sign-delivery.ts'

/** For how long the receiver accepts a signature, by the recommendation of Standard Webhooks. */
const SIGNATURE_LIFE_MS = 300_000

export interface SampleOptions {
  /** Without a slash at its end. */
  readonly address: string
  readonly webhookSecret: string
  readonly apiKey: string
  readonly now?: () => number
  /** Makes an id that was not there before. */
  readonly freshId?: () => string
}

/** Two commands to paste into a shell, each on one line. */
export interface Samples {
  readonly webhook: string
  readonly user: string
  /** Until when the signature in `webhook` is good. */
  readonly goodUntil: Date
}

/** Makes commands that send a signed event and create a user; every set has ids of its own. */
export function createSamples({ address, webhookSecret, apiKey, now = Date.now, freshId = randomId }: SampleOptions): Samples {
  const sentAt = now()
  const type = 'transaction.completed'
  const event = { type, timestamp: new Date(sentAt).toISOString(), data: sampleData(type, freshId) }
  const body = JSON.stringify(event)
  const headers = standardHeaders({ id: `msg_${freshId()}`, sentAt, body, secret: webhookSecret })
  // The receiver counts in whole seconds.
  const goodUntil = new Date(Math.floor(sentAt / 1000) * 1000 + SIGNATURE_LIFE_MS)
  const user = JSON.stringify({ email: `ada+${freshId()}@example.com`, name: 'Ada' })
  return {
    webhook: curl(`${address}/webhook/demo`, headers, body),
    user: curl(`${address}/user`, { authorization: `Bearer ${apiKey}` }, user),
    goodUntil,
  }
}

/** Data that the handler of a type takes; of a type that this project has no handler for, none. */
export function sampleData(type: string, freshId: () => string = randomId): Readonly<Record<string, unknown>> {
  if (type.startsWith('transaction.')) return { transactionId: `txn_${freshId()}`, userId: `usr_${freshId()}`, amount: '12.50', currency: 'EUR' }
  if (type.startsWith('user.')) return { userId: `usr_${freshId()}`, email: `ada+${freshId()}@example.com`, name: 'Ada' }
  return {}
}

/** Quotes a word so that a POSIX shell takes every character for itself. */
export function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

function curl(url: string, headers: Readonly<Record<string, string>>, body: string): string {
  const all = { 'content-type': 'application/json', ...headers }
  const flags = Object.entries(all).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  // --data-raw, because --data takes a leading @ for a file; -w shows the status after the body.
  const words = ['curl', '-sS', '-w', String.raw` (%{http_code})\n`, ...flags, '--data-raw', body, url]
  return words.map(shellQuote).join(' ')
}

function randomId(): string {
  return randomBytes(9).toString('hex')
}
