import { chmod, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { canReach, type Identity } from './identity.ts'

/** Creates a folder and the missing ones above it so that other users can walk through, whatever the umask. */
export async function makeFolder(folder: string): Promise<void> {
  const topmost = await mkdir(folder, { recursive: true })
  if (topmost === undefined) return
  for (let made = folder; made.length >= topmost.length; made = dirname(made)) await chmod(made, 0o755)
}

/** Lets the server's user into a folder of ours, a temporary one made for its owner alone, say. */
export async function openFolder(folder: string, identity: Identity | undefined): Promise<void> {
  if (!identity || canReach(folder, identity)) return
  await chmod(folder, 0o755)
  if (canReach(folder, identity)) return
  throw new Error(`The user that PostgreSQL runs as (uid ${identity.uid}) cannot enter ${folder}: choose a folder outside private ones`)
}
