import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { existsSync, readFileSync } from 'node:fs'
import type pg from 'pg'
import type { DatabaseSettings } from '../../../../functions-runtime/src/database/settings.ts'
import { isLoopback } from '../../server/loopback.ts'
import { isPooled, openConnection } from '../connection.ts'

/** The database is not, or not for certain, on this machine. */
export class NotLocalError extends Error {
  override readonly name = 'NotLocalError'
}

/** All addresses of a host. */
export type Resolve = (host: string) => Promise<readonly Pick<LookupAddress, 'address'>[]>

// Dropping a large schema is one statement.
const WITHIN_MS = 60_000

/**
 * Connects to a database that is on this machine beyond doubt, and to no other. What a name says counts for nothing: every
 * address that it resolves to has to be a loopback one, the connection goes to that address, and the process that answers
 * has to be found here, because behind a loopback address there may be a tunnel, a container or a pooler.
 * @throws NotLocalError
 */
export async function connectLocally(
  settings: DatabaseSettings,
  resolve: Resolve = host => lookup(host, { all: true }),
): Promise<{ client: pg.Client; settings: DatabaseSettings }> {
  const local = { ...settings, host: await loopbackAddressOf(settings.host, resolve) }
  const client = await openConnection(local, { name: 'cli/migrate', withinMs: WITHIN_MS })
  try {
    await requireLocalServer(client)
    return { client, settings: local }
  } catch (error) {
    client.connection.stream.destroy()
    throw error
  }
}

async function loopbackAddressOf(host: string, resolve: Resolve): Promise<string> {
  if (host.includes('/')) throw new NotLocalError('the host is a socket file, and where that leads is not known')
  const found = await resolve(host).catch(() => [])
  const [first] = found
  if (first === undefined) throw new NotLocalError('the host is no address, and no name that resolves')
  if (found.some(({ address }) => !isLoopback(address))) throw new NotLocalError('the host is not, or not only, a loopback address')
  return first.address
}

async function requireLocalServer(client: pg.Client): Promise<void> {
  const { remoteAddress = '' } = client.connection.stream as { remoteAddress?: string }
  if (!isLoopback(remoteAddress)) throw new NotLocalError('the connection has left this machine')
  const { rows } = await client.query<{ pid: number; address: string | null; port: number | null }>(
    'SELECT pg_backend_pid() AS pid, host(inet_server_addr()) AS address, inet_client_port() AS port',
  )
  const { pid = 0, address = null, port = null } = rows[0] ?? {}
  if (await isPooled(client)) throw new NotLocalError('a pooler answers there, and where it leads is not known')
  if (address === null || !isLoopback(address)) throw new NotLocalError('the server behind it has another address: it is a tunnel or a container')
  if (!isPostgresHere(Number(pid), Number(port)))
    throw new NotLocalError('the process that answers does not run on this machine: it is a tunnel or a container')
}

// A server elsewhere may have a process of the same number as one of a server here. A process of PostgreSQL shows whom it
// serves: the port of its client is this connection's.
function isPostgresHere(pid: number, clientPort: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // It is there, and another user's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const title = `/proc/${pid}/cmdline`
  if (!existsSync(title)) return true
  const shown = readFileSync(title, 'latin1')
  return shown.includes('postgres') && shown.includes(`(${clientPort})`)
}
