import pg from 'pg'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { runWithDeadline } from '../../../invocation/src/deadline-scope.ts'
import { freePort } from '../../../functions-devkit/src/server/postgres/free-port.ts'
import { isAlive } from '../../../functions-devkit/src/server/postgres/system-process.ts'
import { ROW, startFakeServer, type FakeManners } from './fake-server.ts'
import { type Provocations } from './provocation.ts'
import { Stage, type Session } from './stage.ts'

const SHORT_MS = 100
const silent: FakeManners = { connected: () => undefined }
// glibc does not ask a resolver for a name with a part of more than 63 characters: this holds without a network, too.
const IMPOSSIBLE_NAME = `${'x'.repeat(64)}.invalid`

/** What is met on the way to the server, in the pool, and when the connection breaks. */
export const socketProvocations: Provocations<Stage> = {
  ECONNREFUSED: [{ when: 'nobody listens', raise: async stage => stage.open({ port: await freePort() }) }],
  ENETUNREACH: [{ when: 'no network leads there', raise: stage => stage.open({ host: '255.255.255.255' }) }],
  ENOTFOUND: [{ when: 'no host can have that name', raise: stage => stage.open({ host: IMPOSSIBLE_NAME }) }],
  ECONNRESET: [{ when: 'the connection is reset under a statement', raise: () => ask({ asked: socket => socket.resetAndDestroy() }) }],
  EPIPE: [{ when: 'statements are sent over a connection whose end has not been read', raise: writeAfterEnd }],
  'text:connect-timeout': [
    { when: 'the server accepts the connection and says nothing', raise: connectToSilence },
    { when: "pg's own pool waits for a silent server", raise: connectPoolToSilence },
  ],
  'text:tls-not-answered': [
    {
      when: 'the request for TLS is answered by neither yes nor no',
      raise: () =>
        withFake({ connected: socket => void socket.once('data', () => socket.end('E')) }, stage =>
          stage.open({ tls: { mode: 'unverified', options: { minVersion: 'TLSv1.2', rejectUnauthorized: false } } }),
        ),
    },
  ],
  'text:connection-terminated': [
    { when: 'the connection is closed under a statement', raise: () => ask({ asked: socket => socket.end() }) },
    { when: 'the connection is closed within the log-in', raise: () => withFake({ connected: socket => socket.end() }, stage => stage.open()) },
  ],
  'text:read-timeout': [
    { when: 'the answer takes longer than the statement may', raise: stage => withSession(stage, sleepTooLong) },
    { when: 'the server says nothing any more', raise: () => withFake({}, stage => withSession(stage, sleepTooLong)) },
  ],
  'text:not-queryable': [
    { when: 'the connection was lost before', raise: stage => withSession(stage, askAfterLoss) },
    { when: 'the connection was closed before', raise: stage => withSession(stage, askAfterEnd) },
  ],
  'text:unexpected-message': [{ when: 'an answer comes that nobody asked for', raise: receiveUnasked }],
  'text:manager-closed': [{ when: 'somebody closed the pool', raise: useClosedPool }],
  'text:pool-draining': [{ when: 'somebody closes the pool while a connection is being asked for', raise: usePoolWhileClosing }],
  'acquire-timeout': [{ when: 'all connections are in use', raise: exhaustPool }],
}

async function withFake(manners: FakeManners, work: (stage: Stage) => Promise<unknown>): Promise<void> {
  const fake = await startFakeServer(manners)
  const stage = new Stage(fake, 'any')
  try {
    await work(stage)
  } finally {
    await stage.leave()
    await fake.stop()
  }
}

async function withSession(stage: Stage, work: (session: Session) => Promise<unknown>): Promise<void> {
  await work(await stage.open())
}

const ask = (manners: FakeManners) => withFake(manners, stage => withSession(stage, ({ run }) => run('SELECT 1')))

// Two statements leave in one turn, as they do when BEGIN and its first statement travel together. The server has ended
// the session by then, and this process has not had a turn to read that.
async function writeAfterEnd(stage: Stage): Promise<void> {
  const { connection, pid } = await stage.open()
  const id = await pid()
  const clock = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  process.kill(id, 'SIGTERM')
  while (isAlive(id)) Atomics.wait(clock, 0, 0, 1)
  const begun = connection.query('BEGIN')
  begun.catch(() => undefined)
  // In two writes, before the end is read: what is sent at once leaves as one.
  await new Promise<void>(resolve => process.nextTick(resolve))
  await Promise.all([begun, connection.query('SELECT 1')])
}

async function connectToSilence(): Promise<void> {
  const deadline = openDeadline({ remainingMs: SHORT_MS })
  try {
    await withFake(silent, stage => runWithDeadline(deadline, () => stage.open()))
  } finally {
    deadline.clear()
  }
}

async function connectPoolToSilence(): Promise<void> {
  await withFake(silent, async ({ server }) => {
    const pool = new pg.Pool({ ...server, connectionTimeoutMillis: SHORT_MS })
    try {
      await pool.connect()
    } finally {
      await pool.end()
    }
  })
}

const sleepTooLong = ({ connection }: Session) => connection.sendRaw('SELECT pg_sleep(20)', undefined, { timeoutMs: SHORT_MS })

async function askAfterLoss({ connection, fails, run }: Session): Promise<void> {
  const failed = fails().catch(() => undefined)
  connection.destroySocket()
  await failed
  await run('SELECT 1')
}

async function askAfterEnd({ connection, run }: Session): Promise<void> {
  const ended = connection.end()
  try {
    await run('SELECT 1')
  } finally {
    await ended
  }
}

// Straight after the log-in, when the connection is idle.
async function receiveUnasked(): Promise<void> {
  const manners: FakeManners = { welcomed: socket => void setTimeout(() => socket.write(ROW), SHORT_MS) }
  await withFake(manners, stage => withSession(stage, ({ fails }) => fails()))
}

// Ours is replaced: these are the words of an ordinary Sequelize beside it.
async function useClosedPool(stage: Stage): Promise<void> {
  const sequelize = stage.ordinary()
  await sequelize.close()
  await sequelize.query('SELECT 1')
}

async function usePoolWhileClosing(stage: Stage): Promise<void> {
  const sequelize = stage.ordinary()
  const { pool } = (sequelize as unknown as { connectionManager: { pool: { acquire(): Promise<unknown>; drain(): Promise<void> } } })
    .connectionManager
  await Promise.all([pool.drain(), pool.acquire()])
}

async function exhaustPool(stage: Stage): Promise<void> {
  const { generation } = await stage.open({ acquireMs: SHORT_MS })
  await generation.acquire()
}
