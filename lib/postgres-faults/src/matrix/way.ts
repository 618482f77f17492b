import { withConnection, type ServerAddress } from '../../../functions-devkit/src/server/postgres/connection.ts'
import { startPgBouncer } from '../pgbouncer.ts'
import { type ChaosDatabase } from './chaos-database.ts'
import { leftOver } from './sessions.ts'

/** What lies between the fault proxy and the server: nothing, or a real PgBouncer that lends sessions by the transaction. */
export type Through = 'direct' | 'pooler'

/** The way of one repetition to its database. */
export interface Way {
  /** What the proxy is put in front of. */
  target: Pick<ServerAddress, 'host' | 'port'>
  /** What the subject is told of it. */
  variables: Readonly<Record<string, string>>
  /** How many things of an application are still there once they had time to end. */
  leftOver(applicationName: string): Promise<number>
  stop(): Promise<void>
}

/** Time limits of a pooler that are minutes in production. */
export const POOLER_SETTINGS = {
  // As it is without a word in its settings: it takes no start-up options.
  ignore_startup_parameters: '',
  // What the network has swallowed stays a client for ever otherwise, as it does a session where there is no
  // `idle_session_timeout`: minutes in production, little here.
  client_idle_timeout: '2',
  // After a failed log-in it lets its clients wait for so long before it tries again, 15 s unless told: longer than any
  // call of the matrix has.
  server_login_retry: '0.2',
}

/** Opens the way to a database. A pooler is of this repetition alone, so that no other one's clients use its sessions. */
export async function openWay(through: Through, database: ChaosDatabase, settings: Readonly<Record<string, string>> = {}): Promise<Way> {
  const { host, port, user, password } = database.server
  if (through === 'direct') {
    return { target: { host, port }, variables: {}, leftOver: name => leftOver(database, name), stop: async () => undefined }
  }
  const pooler = await startPgBouncer({ server: { host, port, user, password }, settings: { ...POOLER_SETTINGS, ...settings } })
  // The pooler is asked over a connection for each look: it is not there for long.
  const look = () =>
    withConnection(pooler, 'pgbouncer', async admin => {
      const { rows } = await admin.query<{ database: string }>('SHOW CLIENTS')
      return rows.filter(client => client.database === database.name).length
    })
  // On a slow machine the pooler may take this connection for an idle client.
  const clients = () => look().catch(look)
  return {
    target: { host: pooler.host, port: pooler.port },
    variables: { DB_POOLER: 'transaction' },
    leftOver: name => leftOver(database, name, { busyOnly: true, others: clients }),
    stop: () => pooler.stop(),
  }
}
