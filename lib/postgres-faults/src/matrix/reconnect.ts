import { setTimeout as sleep } from 'node:timers/promises'
import type { PoolManager } from '../../../resilient-sequelize/src/pool/manager.ts'

const AGAIN_MS = 50

/** Connects as soon as that works. On a busy machine a connection may take longer than it is given; the test's own limit ends this. */
export async function reconnect(manager: Pick<PoolManager, 'connect'>): Promise<void> {
  for (;;) {
    try {
      return await manager.connect()
    } catch {
      await sleep(AGAIN_MS)
    }
  }
}
