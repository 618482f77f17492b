import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type LocalPostgres } from './postgres/local-postgres.ts'
import { type Resource } from './shutdown.ts'

/** A healthy server takes some 50 ms for an immediate shutdown. */
const LONGEST_QUIT_MS = 1_500
const LOOK_AGAIN_MS = 10

/** How PostgreSQL ends: in order, or by force with the next start recovering from its log. */
export function postgresResource(postgres: Pick<LocalPostgres, 'pid' | 'dataFolder' | 'stop'>): Resource {
  return {
    end: () => postgres.stop('fast'),
    kill() {
      const { pid } = postgres
      if (pid === undefined) return
      // The server ends its sessions itself; they are in process groups of their own.
      process.kill(pid, 'SIGQUIT')
      // Its last act is to remove this file. Blocking is meant: after this our process is gone.
      const file = join(postgres.dataFolder, 'postmaster.pid')
      const pause = new Int32Array(new SharedArrayBuffer(4))
      for (let waitedMs = 0; existsSync(file) && waitedMs < LONGEST_QUIT_MS; waitedMs += LOOK_AGAIN_MS) Atomics.wait(pause, 0, 0, LOOK_AGAIN_MS)
      if (existsSync(file)) process.kill(-pid, 'SIGKILL')
    },
  }
}
