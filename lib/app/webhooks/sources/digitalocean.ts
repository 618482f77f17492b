import { defineSource } from '../../../webhook-inbox/src/verify/define-source.ts'

// What DigitalOcean sends besides the signature is not documented: these places are to be compared with a first delivery.
export const digitalocean = defineSource({
  scheme: 'digitalocean',
  secrets: 'WEBHOOK_SECRET_DIGITALOCEAN',
  eventId: 'body',
  type: { pointer: '/type' },
})
