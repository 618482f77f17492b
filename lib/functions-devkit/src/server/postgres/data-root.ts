import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { canReach, serverIdentity } from './identity.ts'

/** Where databases go that belong to a checkout but cannot be kept inside it. */
const ELSEWHERE = '/var/lib/functions-on-managed-postgres'

/**
 * The folder for a checkout's local database: `.local` inside it. `relocated` is true when we are root and
 * the user that PostgreSQL runs as cannot enter the checkout (a clone in /root, say); the folder is then one
 * below /var/lib with a name derived from the checkout's path.
 */
export function dataRootFor(checkout: string): { folder: string; relocated: boolean } {
  const inside = join(resolve(checkout), '.local')
  const identity = serverIdentity()
  if (!identity || canReach(existsSync(inside) ? inside : resolve(checkout), identity)) {
    return { folder: inside, relocated: false }
  }
  const name = createHash('sha256').update(resolve(checkout)).digest('hex').slice(0, 12)
  return { folder: join(ELSEWHERE, name), relocated: true }
}
