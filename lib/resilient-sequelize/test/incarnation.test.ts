import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import pg from 'pg'
import { expect, it } from 'vitest'
import { isSameIncarnation, SERVER_INCARNATION, type ServerIncarnation } from '../src/wire/session-identity.ts'
import { dataRootFor } from '../../functions-devkit/src/server/postgres/data-root.ts'
import { startPostgres, type LocalPostgres } from '../../functions-devkit/src/server/postgres/local-postgres.ts'

async function ask<Row extends object>(server: LocalPostgres, text: string): Promise<Row> {
  const client = new pg.Client(server.url('postgres'))
  client.on('error', () => undefined)
  await client.connect()
  const { rows } = await client.query<Row>(text)
  await client.end()
  return rows[0] as Row
}

it('tells a crash of one session from a checkpoint, a reset of statistics and quiet times', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'incarnation-'))
  const programsFolder = dataRootFor(resolve(import.meta.dirname, '../../..')).folder
  const server = await startPostgres({ folder, programsFolder, settings: { fsync: 'off' } })
  try {
    const now = () => ask<ServerIncarnation>(server, `SELECT ${SERVER_INCARNATION}`)
    const first = await now()
    expect(isSameIncarnation(first, await now())).toBe(true)
    await ask(server, 'CHECKPOINT')
    const second = await now()
    expect(second.checkpoint).not.toBe(first.checkpoint)
    expect(isSameIncarnation(first, second)).toBe(true)
    await ask(server, "SELECT pg_stat_reset_shared('bgwriter')")
    expect(isSameIncarnation(second, await now())).toBe(true)

    const before = await now()
    const victim = new pg.Client(server.url('postgres'))
    victim.on('error', () => undefined)
    await victim.connect()
    const { rows } = await victim.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    process.kill(rows[0]?.pid ?? 0, 'SIGKILL')
    await expect.poll(() => now().catch(() => before), { timeout: 10_000 }).not.toEqual(before)
    const after = await now()
    expect(after.serverStart).toBe(before.serverStart)
    expect(isSameIncarnation(before, after)).toBe(false)
  } finally {
    await server.stop('immediate')
    await rm(folder, { recursive: true, force: true })
  }
})
