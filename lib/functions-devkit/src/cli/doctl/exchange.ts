import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Runs work with a folder in which files are exchanged with doctl, then deletes the folder. It lies inside the checkout:
 * doctl from a snap has a temporary folder of its own. The deployer and git ignore `.deployed`.
 */
export async function withExchange<Result>(checkout: string, work: (folder: string) => Promise<Result>): Promise<Result> {
  const parent = join(checkout, '.deployed')
  await mkdir(parent, { recursive: true })
  // Readable for this user alone: variables hold secrets.
  const folder = await mkdtemp(join(parent, 'exchange-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
