import { REVALIDATE_AFTER_MS } from '../../../../resilient-sequelize/src/pool/lease.ts'
import { type Repetition } from '../repetition.ts'
import { type Row } from '../row.ts'
import { endSessions } from '../sessions.ts'

// Whether the connection is old enough to be looked at before it is used.
const LOOKED_AT = ', later'

/** The connection ends between two calls; the next comes at once, or so late that the connection is looked at first. */
export const endedWhileIdle: Row = {
  number: 1,
  fault: 'ended, reset or closed while idle',
  variants: ['terminated', 'reset', 'close'].flatMap(how => [how, `${how}${LOOKED_AT}`]),
  async scenario(repetition) {
    const { call, clock, variant } = repetition
    await call()
    await endConnection(repetition, variant.replace(LOOKED_AT, ''))
    if (variant.endsWith(LOOKED_AT)) clock.advance(REVALIDATE_AFTER_MS)
    await call()
    await call()
  },
}

/** The connection is there, and nothing comes back over it any more. */
export const silentWhileIdle: Row = {
  number: 9,
  fault: 'silent while idle',
  variants: ['the connection', 'the network, for half a second'],
  async scenario({ call, clock, proxy, variant }) {
    await call()
    clock.advance(REVALIDATE_AFTER_MS)
    if (variant === 'the connection') proxy.addFault({ on: 'statement', matches: /./, when: 'before', action: 'silence' })
    else {
      proxy.silence()
      setTimeout(() => proxy.unsilence(), 500)
    }
    await call()
    await call()
  },
}

async function endConnection({ database, applicationName, proxy }: Repetition, how: string): Promise<void> {
  if (how === 'terminated') return endSessions(database, applicationName)
  proxy.cutAll(how === 'reset' ? 'reset' : 'close')
}
