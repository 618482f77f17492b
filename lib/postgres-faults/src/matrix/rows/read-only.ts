import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { withConnection } from '../../../../functions-devkit/src/server/postgres/connection.ts'
import { type LocalPostgres } from '../../../../functions-devkit/src/server/postgres/local-postgres.ts'
import { ownGround, postgresOf } from '../own-ground.ts'
import { type Row } from '../row.ts'

const READ_ONLY_MS = 2_000

/** The server takes no writes for two seconds: a guard is on, or it is a standby that is then promoted. */
export const readOnlyForAWhile: Row = {
  number: 14,
  fault: 'read only for 2 s, and a standby promoted',
  variants: ['ALTER SYSTEM', 'standby'],
  // The fault takes two thirds of the time; on a busy machine nothing may be left of it.
  codes: ({ kind }) => (kind === 'read' ? [] : ['database-busy', 'database-unavailable', 'deadline-exceeded']),
  slow: true,
  ground: ownGround({ servers: 3 }),
  async scenario({ call, database, proxy, variant }) {
    const postgres = postgresOf(database)
    await call()
    if (variant === 'standby') {
      await becomeStandby(postgres)
      proxy.cutAll('reset')
    } else await setReadOnly(postgres, true)
    const calling = call()
    await sleep(READ_ONLY_MS)
    if (variant === 'standby') await onServer(postgres, 'SELECT pg_promote()')
    else await setReadOnly(postgres, false)
    await calling
    await call()
  },
}

// A server that finds this file when it starts follows another one, here one that never comes, and takes only reads.
async function becomeStandby(postgres: LocalPostgres): Promise<void> {
  await postgres.stop('fast')
  await writeFile(join(postgres.dataFolder, 'standby.signal'), '', { mode: 0o666 })
  await postgres.start()
}

async function setReadOnly(postgres: LocalPostgres, on: boolean): Promise<void> {
  await onServer(postgres, `ALTER SYSTEM ${on ? 'SET default_transaction_read_only = on' : 'RESET default_transaction_read_only'}`)
  await onServer(postgres, 'SELECT pg_reload_conf()')
}

function onServer({ host, port, user, password }: LocalPostgres, statement: string): Promise<unknown> {
  return withConnection({ host, port, user, password }, 'postgres', client => client.query(statement))
}
