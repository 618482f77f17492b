import { endSessions, strikeAsleep } from '../sessions.ts'
import { type Row } from '../row.ts'
import { MIDDLE } from '../workloads.ts'

// Longer than any deadline: the statement never ends by itself.
const FOR_EVER_MS = 60_000

/** The server ends the session while its statement runs. */
export const terminatedMidStatement: Row = {
  number: 3,
  fault: 'backend terminated mid-statement',
  variants: ['once', 'twice in a row'],
  async scenario({ call, database, applicationName, variant }) {
    await call()
    await strikeAsleep(database, applicationName, {
      begin: () => call({ sleepMs: FOR_EVER_MS }),
      strike: async () => {
        await endSessions(database, applicationName)
        if (variant !== 'once') await endSessions(database, applicationName)
      },
    })
    await call()
  },
}

/** Nothing comes back over this connection from the middle statement on; new connections work. */
export const silentMidStatement: Row = {
  number: 10,
  fault: 'silent mid-statement, for good',
  variants: ['before it arrives', 'after it was done'],
  slow: true,
  // A read is to get its row by a second attempt; a write may have used up its time.
  codes: ({ kind }) => (kind === 'read' ? [] : ['database-unavailable', 'database-busy', 'deadline-exceeded']),
  async scenario({ call, proxy, variant }) {
    await call()
    proxy.addFault({ on: 'statement', matches: MIDDLE, when: variant.startsWith('before') ? 'before' : 'after', action: 'silence' })
    await call()
    await call()
  },
}
