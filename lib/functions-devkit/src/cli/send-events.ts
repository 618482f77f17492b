import { composeDelivery, type Delivery } from '../server/compose-delivery.ts'
import type { Samples } from '../../../functions-runtime/src/api/samples.ts'
import { randomId } from '../server/samples.ts'
import { asLine } from '../../../functions-runtime/src/foreign-text.ts'
import type { SourceDefinition } from '../../../webhook-inbox/src/verify/source.ts'
import type { SendOptions } from './send-options.ts'

export interface SendTools {
  /** Of the local server, without a slash at its end. */
  readonly address: string
  readonly definition: SourceDefinition
  readonly secret: string
  readonly print: (line: string) => void
  /** Makes the data of an event for which none was given. */
  readonly eventData: Samples['eventData']
  readonly post?: typeof fetch
}

/** Sends what was asked for, one after the other, prints each answer, and tells whether all were the ones to expect. */
export async function sendEvents(options: SendOptions, { address, definition, secret, print, eventData, post = fetch }: SendTools): Promise<boolean> {
  const { source, type, times, tamper, duplicate } = options
  let allAsExpected = true
  for (let sent = 0; sent < times; sent += 1) {
    const delivery = composeDelivery({ definition, secret, type, data: options.data ?? eventData(type, randomId) })
    for (let again = 0; again < (duplicate ? 2 : 1); again += 1) {
      const response = await post(`${address}/webhook/${source}`, {
        method: 'POST',
        headers: delivery.headers,
        body: tamper ? tampered(delivery) : delivery.body,
      })
      allAsExpected &&= tamper ? response.status === 401 : response.ok
      print(`${response.status} ${asLine(outcomeOf(await response.text()))}  ${delivery.id}`)
    }
  }
  return allAsExpected
}

function tampered({ body }: Delivery): string {
  return body.replace(/.$/, ']')
}

function outcomeOf(text: string): string {
  try {
    const { outcome, code } = JSON.parse(text) as { outcome?: unknown; code?: unknown }
    const told = outcome ?? code
    return typeof told === 'string' ? told : text
  } catch {
    return text
  }
}
