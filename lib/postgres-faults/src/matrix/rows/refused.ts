import { setTimeout as sleep } from 'node:timers/promises'
import { type RefusalManner } from '../../proxy/proxy.ts'
import { type Row } from '../row.ts'

const AWAY_MS = 3_000
const COLD = ', cold start'
const manners: readonly RefusalManner[] = ['unreachable', 'reset', 'close']

/** Nobody gets a connection for three seconds; then all is as before. */
export const refusedForAWhile: Row = {
  number: 8,
  fault: 'refused for 3 s, then back',
  variants: [...manners, ...manners.map(manner => `${manner}${COLD}`)],
  deadlineMs: 9_000,
  slow: true,
  async scenario({ call, proxy, variant }) {
    if (!variant.endsWith(COLD)) await call()
    await proxy.refuse(variant.replace(COLD, '') as RefusalManner)
    proxy.cutAll('reset')
    const calling = call()
    await sleep(AWAY_MS)
    await proxy.accept()
    await calling
    await call()
  },
}
