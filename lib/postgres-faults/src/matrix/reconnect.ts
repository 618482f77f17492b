import { setTimeout as sleep } from 'node:timers/promises'
import type { PoolManager } from '../../../resilient-sequelize/src/pool/manager.ts'

const AGAIN_MS = 50

/** Connects, and retries until that succeeds: on a busy machine one attempt can exceed its time limit. */
export async function reconnect(manager: Pick<PoolManager, 'connect'>): Promise<void> {
  for (;;) {
    try {
      return await manager.connect()
    } catch {
      await sleep(AGAIN_MS)
    }
  }
}
