import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { type Provocations } from './provocation.ts'
import { type SessionChanges, type Stage } from './stage.ts'

/** What a server that is well makes of log-ins, of idle sessions and of connections to other servers. */
export const sessionProvocations: Provocations<Stage> = {
  '08000': [{ when: 'the server lost its own connection to another within a transaction', raise: loseForeignServer }],
  '08001': [
    { when: 'the server cannot connect to another', raise: withExtension('dblink', "SELECT dblink_connect('other', 'host=127.0.0.1 port=1')") },
  ],
  '08003': [{ when: 'the server has no such connection to another', raise: withExtension('dblink', "SELECT dblink_disconnect('other')") }],
  '08006': [{ when: 'the server cannot reach the one that it wants to follow', raise: follow }],
  '25P03': [{ when: 'a transaction stays idle', raise: stage => stayIdle(stage, { transactionIdleMs: 50 }, 'BEGIN') }],
  '25P04': [{ when: 'a transaction takes too long', raise: stage => stayIdle(stage, {}, "SET transaction_timeout = '50ms'", 'BEGIN') }],
  '57P05': [{ when: 'a session stays idle', raise: stage => stayIdle(stage, { idleSessionMs: 50 }) }],
  '28000': [{ when: 'the role may not log in', raise: stage => withRole(stage, 'NOLOGIN', user => stage.open({ user, password: 'secret' })) }],
  '28P01': [
    { when: 'the password is wrong', raise: stage => stage.open({ password: 'wrong' }) },
    { when: 'the role does not exist', raise: stage => stage.open({ user: 'nobody' }) },
  ],
  '3D000': [{ when: 'the database to connect to does not exist', raise: stage => stage.open({ name: 'nowhere' }), connection: 'drop' }],
  '53300': [
    {
      when: 'the role has as many sessions as it may',
      raise: stage => withRole(stage, 'LOGIN CONNECTION LIMIT 0', user => stage.open({ user, password: 'secret' })),
    },
  ],
  'text:sasl': [{ when: 'there is no password to log in with', raise: logInWithoutPassword }],
}

async function loseForeignServer(stage: Stage): Promise<void> {
  const { host, port, user, password } = stage.server
  await stage.ask(`
    CREATE EXTENSION postgres_fdw;
    CREATE TABLE far (a int);
    CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '${host}', port '${port}', dbname '${stage.database}', application_name 'far');
    CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (user '${user}', password '${password}');
    CREATE FOREIGN TABLE near (a int) SERVER far OPTIONS (table_name 'far')`)
  const { run } = await stage.open()
  for (const text of ['BEGIN', 'SELECT * FROM near', 'SAVEPOINT s', 'SELECT * FROM near']) await run(text)
  await stage.ask("SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE application_name = 'far' AND datname = current_database()")
  // The savepoint cannot be rolled back over there any more.
  for (const text of ['ROLLBACK TO s', 'SELECT * FROM near']) await run(text)
}

// pg leaves the socket open after this one, and the server would wait for the rest of the log-in for a minute.
async function logInWithoutPassword({ server, database }: Stage): Promise<void> {
  const client = new pg.Client({ ...server, database, password: '' })
  try {
    await client.connect()
  } finally {
    await client.end()
  }
}

function withExtension(extension: string, statement: string): (stage: Stage) => Promise<unknown> {
  return async stage => {
    const { run } = await stage.open()
    await run(`CREATE EXTENSION IF NOT EXISTS ${extension}`)
    await run(statement)
  }
}

async function follow(stage: Stage): Promise<void> {
  const { run } = await stage.open()
  await run("CREATE SUBSCRIPTION follower CONNECTION 'host=127.0.0.1 port=1' PUBLICATION leader")
}

async function stayIdle(stage: Stage, changes: SessionChanges, ...texts: string[]): Promise<void> {
  const { fails, run } = await stage.open(changes)
  const failed = fails()
  for (const text of texts) await run(text)
  await failed
}

// Roles belong to the whole server: the name is random and nobody may keep it.
async function withRole(stage: Stage, rights: string, work: (name: string) => Promise<unknown>): Promise<void> {
  const name = `role_${randomBytes(6).toString('hex')}`
  await stage.ask(`CREATE ROLE ${name} ${rights} PASSWORD 'secret'`)
  try {
    await work(name)
  } finally {
    await stage.ask(`DROP ROLE ${name}`)
  }
}
