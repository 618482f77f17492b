import { constants } from 'node:fs'
import { access, mkdtemp, readdir, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clearLeftover } from '../../functions-devkit/src/server/postgres/leftover.ts'
import { isAlive } from '../../functions-devkit/src/server/postgres/system-process.ts'

/** How the folder of a test run's server is named; the process id of the run follows. */
const NAME = 'functions-on-managed-postgres-tests-'
const MEMORY = '/dev/shm'
/** Containers often have 64 MB there, which a few dozen databases fill. */
const ENOUGH_BYTES = 1024 ** 3

/**
 * Makes the folder for the server of this run: in memory where there is room, because every test creates a
 * database of some 300 files, else among the temporary files.
 */
export async function makeServerFolder(): Promise<string> {
  const parent = (await isRoomy(MEMORY)) ? MEMORY : tmpdir()
  return mkdtemp(join(parent, `${NAME}${process.pid}-`))
}

/** Stops and removes the servers of test runs that were killed before they could do it themselves. */
export async function removeAbandonedServers(): Promise<void> {
  for (const parent of [MEMORY, tmpdir()]) {
    for (const name of await readdir(parent).catch(() => [])) {
      const run = name.startsWith(NAME) ? Number.parseInt(name.slice(NAME.length), 10) : undefined
      if (run === undefined || isAlive(run)) continue
      const folder = join(parent, name)
      for (const data of await readdir(folder)) if (data.startsWith('postgres-')) await clearLeftover(join(folder, data))
      await rm(folder, { recursive: true, force: true })
    }
  }
}

async function isRoomy(path: string): Promise<boolean> {
  try {
    await access(path, constants.W_OK)
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize >= ENOUGH_BYTES
  } catch {
    return false
  }
}
