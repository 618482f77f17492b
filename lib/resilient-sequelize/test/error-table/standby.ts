import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chown, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { reachableBinaries } from '../../../functions-devkit/src/server/postgres/binaries.ts'
import { serverEnvironment } from '../../../functions-devkit/src/server/postgres/cluster.ts'
import { type ServerAddress, withConnection } from '../../../functions-devkit/src/server/postgres/connection.ts'
import { freePort } from '../../../functions-devkit/src/server/postgres/free-port.ts'
import { serverIdentity } from '../../../functions-devkit/src/server/postgres/identity.ts'
import { type PrivateServer, programsFolder } from './private-server.ts'
import { type Provocations } from './provocation.ts'
import { statements, type Stage } from './stage.ts'

/** A server, and a standby that follows it. */
export interface StandbyStage {
  primary: Stage
  standby: Stage
}

const LOOK_AGAIN_MS = 20
const LONGEST_START_MS = 20_000

/** What sessions meet on a server that only follows another, as an old primary does after a failover. */
export const standbyProvocations: Provocations<StandbyStage> = {
  '25006': [{ when: 'a write reaches a standby', raise: ({ standby }) => statements('CREATE TABLE written (a int)')(standby) }],
  '0A000:read-write-mode': [
    { when: 'a transaction that is to write begins on a standby', raise: ({ standby }) => statements('START TRANSACTION READ WRITE')(standby) },
  ],
  '57P04': [{ when: 'the database is dropped over there', raise: dropUnderSession }],
}

async function dropUnderSession({ primary, standby }: StandbyStage): Promise<void> {
  await primary.ask('DROP DATABASE IF EXISTS doomed')
  await primary.ask('CREATE DATABASE doomed')
  while ((await standby.ask("SELECT 1 FROM pg_database WHERE datname = 'doomed'")).length === 0) await sleep(LOOK_AGAIN_MS)
  const { fails } = await standby.open({ name: 'doomed' })
  const failed = fails()
  await Promise.all([failed, primary.ask('DROP DATABASE doomed')])
}

/** Starts a standby from a copy of a server's data; `stop` ends it, its folder lies in the server's. */
export async function startStandby({
  postgres,
  folder,
}: Pick<PrivateServer, 'postgres' | 'folder'>): Promise<ServerAddress & { stop(): Promise<void> }> {
  const identity = serverIdentity()
  const { host, user, password } = postgres
  const data = join(folder, 'standby')
  const sign = join(data, 'standby.signal')
  await postgres.stop()
  const copied = spawnSync('cp', ['-a', postgres.dataFolder, data], { encoding: 'utf8' })
  if (copied.status !== 0) throw new Error(`the data was not copied: ${copied.stderr}`)
  await writeFile(sign, '')
  if (identity) await chown(sign, identity.uid, identity.gid)
  await postgres.start()

  const port = await freePort()
  const settings = {
    port: String(port),
    listen_addresses: host,
    unix_socket_directories: '',
    fsync: 'off',
    shared_buffers: '16MB',
    max_connections: '20',
    primary_conninfo: `host=${host} port=${postgres.port} user=${user} password=${password}`,
  }
  const { postgres: program } = await reachableBinaries(programsFolder, identity)
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawn(program, ['-D', data, ...flags], { ...identity, cwd: data, env: serverEnvironment(), stdio: 'ignore' })
  const gone = once(child, 'exit')
  const killAtExit = () => void child.kill('SIGQUIT')
  process.once('exit', killAtExit)
  const server = { host, port, user, password }
  const stop = async () => {
    child.kill('SIGQUIT')
    await gone
    process.off('exit', killAtExit)
  }
  try {
    await becomesReady(server)
  } catch (error) {
    await stop()
    throw error
  }
  return { ...server, stop }
}

async function becomesReady(server: ServerAddress): Promise<void> {
  const until = performance.now() + LONGEST_START_MS
  for (;;) {
    try {
      await withConnection(server, 'postgres', client => client.query('SELECT 1'))
      return
    } catch (error) {
      if (performance.now() > until) throw error
      await sleep(LOOK_AGAIN_MS)
    }
  }
}
