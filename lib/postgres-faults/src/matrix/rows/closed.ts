import { type Repetition } from '../repetition.ts'
import { type Row } from '../row.ts'
import { strikeAsleep } from '../sessions.ts'

const SLEEP_MS = 300
const AT_ONCE = 5

/**
 * `close()` on the one Sequelize instance: in every state of its pool, in the same tick as calls, and by the connection
 * manager as well. What runs ends undisturbed, and the next call finds another pool.
 */
export const closed: Row = {
  number: 11,
  fault: 'close()d by other code',
  variants: [
    'while idle',
    'in the middle of work',
    'as soon as it is built',
    'in the same tick as calls',
    'while connecting',
    'while calls wait for a connection',
    'again and again',
    'by the connection manager',
    'by the connection manager in the middle of work',
  ],
  async scenario(repetition) {
    const { call, manager, database, applicationName, variant } = repetition
    const { sequelize } = await manager.currentGeneration()
    const manages = sequelize as unknown as { connectionManager: { close(): Promise<void> } }
    const close = () => void (variant.startsWith('by the connection manager') ? manages.connectionManager.close() : sequelize.close())
    if (variant === 'as soon as it is built') close()
    else if (variant === 'while connecting') await whileConnecting(repetition, close)
    else await call()
    switch (variant) {
      case 'while idle':
      case 'by the connection manager':
        close()
        break
      case 'in the same tick as calls': {
        const before = call()
        close()
        await Promise.all([before, call()])
        break
      }
      case 'while calls wait for a connection': {
        const calls = Array.from({ length: AT_ONCE }, () => call())
        await new Promise(resolve => setImmediate(resolve))
        close()
        await Promise.all([...calls, call()])
        break
      }
      case 'again and again':
        for (let time = 0; time < AT_ONCE; time += 1) {
          const under = call()
          close()
          close()
          await under
        }
        break
      case 'in the middle of work':
      case 'by the connection manager in the middle of work':
        // The next call does not wait for the old pool's work, which finishes all the same.
        await strikeAsleep(database, applicationName, { begin: () => call({ sleepMs: SLEEP_MS }), strike: () => (close(), call()) })
        break
      default:
    }
    await call()
    await call()
  },
}

async function whileConnecting({ call, proxy }: Repetition, close: () => void): Promise<void> {
  const before = proxy.counts().connections
  const begun = call()
  while (proxy.counts().connections === before) await new Promise(resolve => setImmediate(resolve))
  close()
  await begun
}
