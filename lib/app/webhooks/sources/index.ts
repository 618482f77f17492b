// Written by `npm run sync`; do not edit. Each file beside this one is listed by what it exports.
import { demo } from './demo.ts'
import { digitalocean } from './digitalocean.ts'
import { github } from './github.ts'
import { partner } from './partner.ts'
import { shopify } from './shopify.ts'
import { stripe } from './stripe.ts'

export const sourceTable = {
  demo,
  digitalocean,
  github,
  partner,
  shopify,
  stripe,
}
