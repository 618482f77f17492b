import { composeDelivery, type Delivery } from '../server/compose-delivery.ts'
import type { Samples } from '../../../functions-runtime/src/api/samples.ts'
import { randomId } from '../server/samples.ts'
import { asLine } from '../../../functions-runtime/src/foreign-text.ts'
import type { SourceDefinition } from '../../../webhook-inbox/src/verify/source.ts'
import type { SendOptions } from './options/send.ts'

export interface SendTools {
  /** Of the local server, without a slash at its end. */
  readonly address: string
  readonly definition: SourceDefinition
  readonly secret: string
  /** Called with each answer as it comes. */
  readonly answered: (answer: SentAnswer) => void
  /** Makes the data of an event for which none was given. */
  readonly eventData: Samples['eventData']
  readonly post?: typeof fetch
}

export interface SentAnswer {
  /** As the sender calls the event. */
  readonly id: string
  readonly status: number
  /** The `outcome` of the answer, or the `code` of a refusal; undefined for an answer that has neither. */
  readonly outcome: string | undefined
  /** As JSON where it is JSON, else its text. */
  readonly body: unknown
  readonly asExpected: boolean
}

// A sender is answered so for an event that is parked, since sending it again changes nothing.
const FAILED = 'failed'
// Characters of a body on its line.
const LONGEST_BODY = 1_000

/** Sends what was asked for, one after the other, and returns the answers in order. */
export async function sendEvents(options: Omit<SendOptions, 'json'>, tools: SendTools): Promise<SentAnswer[]> {
  const { source, type, times, tamper, duplicate } = options
  const { address, definition, secret, answered, eventData, post = fetch } = tools
  const answers: SentAnswer[] = []
  for (let sent = 0; sent < times; sent += 1) {
    const delivery = composeDelivery({ definition, secret, type, data: options.data ?? eventData(type, randomId) })
    for (let before = 0; before < (duplicate ? 2 : 1); before += 1) {
      const response = await post(`${address}/webhook/${source}`, {
        method: 'POST',
        headers: delivery.headers,
        body: tamper ? tampered(delivery) : delivery.body,
      })
      const body = read(await response.text())
      const outcome = outcomeOf(body)
      const answer = { id: delivery.id, status: response.status, outcome, body, asExpected: isExpected({ status: response.status, outcome, before }) }
      answers.push(answer)
      answered(answer)
    }
  }
  return answers

  function isExpected({ status, outcome, before }: { status: number; outcome: string | undefined; before: number }): boolean {
    if (options.expect !== undefined) return outcome === options.expect || (before > 0 && outcome === 'duplicate')
    return tamper ? status === 401 : status >= 200 && status < 300 && outcome !== FAILED
  }
}

/** Returns an answer as one line. */
export function describeSent({ id, status, outcome, body, asExpected }: SentAnswer): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const parts = [`${status} ${asLine(outcome ?? '-')}`, id, asLine(text, { maxLength: LONGEST_BODY }), ...(asExpected ? [] : ['← not as expected'])]
  return parts.filter(Boolean).join('  ')
}

function tampered({ body }: Delivery): string {
  return body.replace(/.$/, ']')
}

function read(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function outcomeOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const { outcome, code } = body as { outcome?: unknown; code?: unknown }
  const told = outcome ?? code
  return typeof told === 'string' ? told : undefined
}
