import { setTimeout as sleep } from 'node:timers/promises'
import { ownGround, postgresOf } from '../own-ground.ts'
import { reconnect } from '../reconnect.ts'
import { type Row } from '../row.ts'

const CALLERS = 4
const LOAD_MS = 2_500
const PAUSE_MS = 150
const RESTART_AFTER_MS = 500

/** The server is restarted while several callers work. */
export const restartedUnderLoad: Row = {
  number: 7,
  fault: 'restart under load',
  variants: ['fast', 'immediate'],
  // Whoever had just sent COMMIT cannot be told what became of it: the server that knew is gone.
  codes: ['database-unavailable', 'database-busy', 'deadline-exceeded', 'commit-unknown'],
  slow: true,
  poolMax: CALLERS,
  ground: ownGround({ servers: 3 }),
  async scenario({ call, database, manager, variant, find }) {
    const until = performance.now() + LOAD_MS
    const caller = async () => {
      while (performance.now() < until) {
        await call()
        await sleep(Math.random() * PAUSE_MS)
      }
    }
    const callers = Array.from({ length: CALLERS }, caller)
    await sleep(RESTART_AFTER_MS)
    const postgres = postgresOf(database)
    await postgres.stop(variant === 'fast' ? 'fast' : 'immediate')
    await postgres.start()
    await Promise.all(callers)
    await reconnect(manager)
    const { outcome } = await call()
    if (outcome.kind !== 'ok') find('the container is not as good as before')
  },
}
