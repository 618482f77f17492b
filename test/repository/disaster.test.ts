import { eventBody } from '../../lib/functions-devkit/test/support/webhooks.ts'
import { testDrill } from '../support/disaster.ts'

testDrill('a lost database comes back from its dump, and senders may send again', {
  events: Array.from({ length: 12 }, () => eventBody('smoke.ping', {})),
  late: eventBody('smoke.ping', {}),
})
