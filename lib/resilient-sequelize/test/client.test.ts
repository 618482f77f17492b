import pg from 'pg'
import { afterEach, expect, it } from 'vitest'
import { guardClient } from '../src/wire/client.ts'
import { SHUTDOWN, startFakeServer, type FakeServer } from './error-table/fake-server.ts'

let server: FakeServer | undefined
afterEach(() => server?.stop())

it('survives a server that ends the session together with its welcome', async () => {
  server = await startFakeServer({ welcomed: socket => void socket.end(SHUTDOWN) })
  const client = new (guardClient(pg.Client))({ ...server, ssl: false })
  await client.connect()
  await expect(client.query('SELECT 1')).rejects.toThrow('not queryable')
})
