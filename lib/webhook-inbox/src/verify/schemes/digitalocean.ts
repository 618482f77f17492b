import type { Scheme } from './scheme.ts'
import { readTextSecret } from './text-secret.ts'
import { verifyTimedList } from './timed-list.ts'

/**
 * DigitalOcean. Its own library signs milliseconds, while its examples show seconds: both are taken. Neither an id nor
 * a type is documented, so the source has to name places for them.
 */
export const digitalocean: Scheme<Buffer> = {
  data: '',
  readSecret: readTextSecret,
  verify(request, options) {
    verifyTimedList(request, options, { header: 'do-signature', unit: 'either' })
  },
}
