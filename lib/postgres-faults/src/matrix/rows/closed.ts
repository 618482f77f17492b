import { type Row } from '../row.ts'
import { strikeAsleep } from '../sessions.ts'

const SLEEP_MS = 300

/** Somebody calls `close()` on the Sequelize instance: between two calls, in the middle of work, or both and twice. */
export const closedBySomebody: Row = {
  number: 11,
  fault: 'close()d by somebody',
  variants: ['while idle', 'in the middle of work', 'as soon as it is built'],
  async scenario({ call, manager, database, applicationName, variant }) {
    const close = async () => void (await manager.getSequelize()).close()
    if (variant === 'as soon as it is built') {
      await close()
      await call()
      return
    }
    await call()
    if (variant === 'while idle') {
      await close()
      await call()
    } else {
      // The next call does not wait for the old pool's work, which finishes all the same.
      const strike = () => close().then(() => call())
      await strikeAsleep(database, applicationName, { begin: () => call({ sleepMs: SLEEP_MS }), strike })
    }
    await call()
  },
}
