import { composeDelivery, type Delivery } from '../../server/compose-delivery.ts'
import { application } from '../../application.ts'
import { call, type Answer } from './call.ts'
import type { SmokeTarget } from './target.ts'

/** An event without any effect; its id tells where it came from. Signed anew whenever it is asked for: signatures grow old. */
export function signPing(id: string, { webhookSecret }: Pick<SmokeTarget, 'webhookSecret'>): Delivery {
  return composeDelivery({ definition: application.defaultSource, secret: webhookSecret, type: 'smoke.ping', data: {}, id })
}

export async function sendEvent({ headers, body }: Delivery, { url }: Pick<SmokeTarget, 'url'>): Promise<Answer> {
  return call(`${url}/webhook/demo`, { method: 'POST', headers, body })
}
