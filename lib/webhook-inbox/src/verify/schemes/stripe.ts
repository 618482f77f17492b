import type { Scheme } from './scheme.ts'
import { readTextSecret } from './text-secret.ts'
import { verifyTimedList } from './timed-list.ts'

/** Stripe. The key is the text of the secret with its `whsec_`, not what it could be decoded to. */
export const stripe: Scheme<Buffer> = {
  eventId: { pointer: '/id' },
  type: { pointer: '/type' },
  data: '/data',
  // It tells how many deliveries are still to come.
  bodyVaries: true,
  readSecret: readTextSecret,
  verify(request, options) {
    verifyTimedList(request, options, { header: 'stripe-signature', unit: 's' })
  },
}
