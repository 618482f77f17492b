import { randomBytes } from 'node:crypto'
import { hasPgBouncer, startPgBouncer, type PgBouncer, type PgBouncerOptions } from '../../../postgres-faults/src/pgbouncer.ts'
import { startProxy } from '../../../postgres-faults/src/proxy/proxy.ts'
import { withConnection, type ServerAddress } from '../../../functions-devkit/src/server/postgres/connection.ts'
import { freePort } from '../../../functions-devkit/src/server/postgres/free-port.ts'
import { type Provocation, type Provocations } from './provocation.ts'
import { Stage, statements } from './stage.ts'

const installed = { possible: hasPgBouncer() }

/** What PgBouncer says; the stage is that of the server behind it. */
export const poolerProvocations: Provocations<Stage> = {
  '08P01:query-wait-timeout': [
    through('nobody gives a server connection back', { settings: { default_pool_size: '1', query_wait_timeout: '1' } }, waitForConnection),
  ],
  '08P01:no-more-connections': [through('the pooler has as many clients as it takes', { settings: { max_client_conn: '2' } }, openAll)],
  '08P01:client-login-timeout': [
    {
      when: 'the pooler cannot reach its server for the first log-in',
      raise: server => connectToNowhere(server, { client_login_timeout: '1' }),
      ...installed,
    },
  ],
  '08P01:server-login-failing': [{ when: 'the pooler is refused by the server', raise: changePassword, ...installed }],
  '08P01:session-not-prepared': [{ when: 'the server cannot read the name of the client', raise: nameInOtherLetters, ...installed }],
  '08P01:server-lost': [
    { when: 'the connection behind the pooler is cut', raise: loseServer, ...installed },
    through('an administrator of the pooler cuts a database off', {}, cutOff),
  ],
  '08P01:query-timeout': [through('the pooler ends a statement', { settings: { query_timeout: '1' } }, statements('SELECT pg_sleep(20)'))],
  '08P01:idle-transaction-timeout': [
    through('the pooler ends an idle transaction', { settings: { idle_transaction_timeout: '1' } }, stayIdle('BEGIN')),
  ],
  '08P01:client-idle-timeout': [through('the pooler ends an idle client', { settings: { client_idle_timeout: '1' } }, stayIdle('SELECT 1'))],
  '08P01:authentication': [
    through('the password is wrong', {}, stage => stage.open({ password: 'wrong' })),
    through('the pooler does not know the role', {}, stage => stage.open({ user: 'nobody' })),
    through('the pooler knows no such database', {}, stage => stage.open({ name: 'nowhere' })),
    through('the server refuses what the pooler logs in with', { serverPassword: 'wrong' }, stage => stage.open()),
  ],
  '08P01:startup-parameter': [
    through('the client sends options that the pooler does not pass on', { settings: { ignore_startup_parameters: 'extra_float_digits' } }, stage =>
      stage.open(),
    ),
  ],
  '57P01': [through('the session of a statement that runs through the pooler is ended', {}, endServer)],
}

/** A provocation with a pooler of its own between the session and the server. */
function through(
  when: string,
  options: Omit<PgBouncerOptions, 'server'>,
  raise: (stage: Stage, pooler: PgBouncer) => Promise<unknown>,
): Provocation<Stage> {
  return { when, raise: server => withPooler(server, { ...options, server: server.direct }, raise), ...installed }
}

/** Runs work with a pooler of its own in front of a server, which the stage asks directly. */
export async function withPooler(
  server: Stage,
  options: PgBouncerOptions,
  work: (stage: Stage, pooler: PgBouncer) => Promise<unknown>,
): Promise<void> {
  const pooler = await startPgBouncer(options)
  const stage = new Stage(pooler, server.database, server.direct)
  try {
    await work(stage, pooler)
  } finally {
    await stage.leave()
    await pooler.stop()
  }
}

async function waitForConnection(stage: Stage): Promise<void> {
  const [first, second] = [await stage.open(), await stage.open()]
  await first.run('BEGIN')
  await second.run('SELECT 1')
}

async function openAll(stage: Stage): Promise<never> {
  for (;;) await stage.open()
}

async function connectToNowhere({ direct, database }: Stage, settings: Readonly<Record<string, string>>): Promise<void> {
  const nowhere: ServerAddress = { ...direct, port: await freePort() }
  await withPooler(new Stage(nowhere, database), { server: nowhere, settings }, stage => stage.open())
}

// Who has logged in once is let in again without asking the server, until the pooler notices that it is refused there.
async function changePassword(server: Stage): Promise<void> {
  const role = `role_${randomBytes(6).toString('hex')}`
  await server.ask(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`)
  const pooled = { ...server.direct, user: role, password: 'secret' }
  try {
    await withPooler(server, { server: pooled, settings: { query_wait_timeout: '1', server_login_retry: '10' } }, async stage => {
      const { run } = await stage.open()
      await run('SELECT 1')
      await server.ask(`ALTER ROLE ${role} PASSWORD 'other'`)
      await server.ask(`SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE usename = '${role}'`)
      // A statement may still be sent to the session that was just ended; a later one makes the pooler log in, and waits.
      for (;;) {
        const { run: tried } = await stage.open()
        await tried('SELECT 1').catch(error => {
          if (/login/.test(String(error))) throw error
        })
      }
    })
  } finally {
    await server.ask(`DROP ROLE ${role}`)
  }
}

// The pooler sets the name before it has told the server which letters it is written in.
async function nameInOtherLetters(server: Stage): Promise<void> {
  const other = `euc_${randomBytes(6).toString('hex')}`
  await server.ask(`CREATE DATABASE ${other} ENCODING 'EUC_JP' LOCALE 'C' TEMPLATE template0`)
  try {
    await withPooler(new Stage(server.server, other, server.direct), { server: server.direct }, async stage => {
      // Ours refuses this encoding before the pooler meets it.
      const ordinary = stage.ordinary({ application_name: '日本' })
      try {
        await ordinary.query('SELECT 1')
      } finally {
        await ordinary.close()
      }
    })
  } finally {
    await server.ask(`DROP DATABASE ${other} WITH (FORCE)`)
  }
}

async function endServer(stage: Stage): Promise<void> {
  const { run, pid } = await stage.open()
  await run('BEGIN')
  const id = await pid()
  await Promise.all([
    run('SELECT pg_sleep(20)'),
    stage.ask(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity, pg_sleep(0.05) WHERE pid = ${id}`),
  ])
}

async function loseServer(server: Stage): Promise<void> {
  const proxy = await startProxy({ target: server.direct, certificates: false })
  try {
    await withPooler(server, { server: { ...server.direct, host: proxy.host, port: proxy.port } }, async stage => {
      const { run, fails } = await stage.open()
      await run('BEGIN')
      const failed = fails()
      proxy.cutAll('reset')
      await failed
    })
  } finally {
    await proxy.stop()
  }
}

async function cutOff(stage: Stage, pooler: PgBouncer): Promise<void> {
  const { run, fails } = await stage.open()
  await run('SELECT 1')
  const failed = fails()
  await Promise.all([failed, withConnection(pooler, 'pgbouncer', admin => admin.query(`KILL ${stage.database}`))])
}

function stayIdle(statement: string): (stage: Stage) => Promise<void> {
  return async stage => {
    const { run, fails } = await stage.open()
    const failed = fails()
    await run(statement)
    await failed
  }
}
