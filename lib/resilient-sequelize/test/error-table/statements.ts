import { spawnSync } from 'node:child_process'
import { serverIdentity } from '../../../functions-devkit/src/server/postgres/identity.ts'
import { onLinux, type Provocations } from './provocation.ts'
import { statements, type Session, type Stage } from './stage.ts'

/** What statements meet on a server that is well. */
export const statementProvocations: Provocations<Stage> = {
  '08P01': [{ when: 'a prepared statement gets too few values', raise: bindTooFew }],
  '0A000:cached-plan': [{ when: 'the table of a prepared statement has changed', raise: changePreparedTable }],
  '25006': [
    {
      when: 'a write comes where transactions are read-only',
      raise: statements('SET default_transaction_read_only = on', 'CREATE TABLE written (a int)'),
    },
  ],
  '25P02': [{ when: 'a transaction goes on after an error', raise: goOnAfterError }],
  '26000': [{ when: 'a prepared statement was deallocated under the client', raise: loseStatement }],
  '3D000': [{ when: 'a statement names a database that is not there', raise: statements('DROP DATABASE nowhere') }],
  '42xxx': [
    { when: 'a table is missing', raise: statements('SELECT * FROM nowhere') },
    { when: 'the syntax is wrong', raise: statements('SELEKT 1') },
  ],
  '22xxx': [
    { when: 'a division is by zero', raise: statements('SELECT 1 / 0') },
    { when: 'a value has the wrong form', raise: statements("SELECT 'x'::int") },
  ],
  '23505': [
    {
      when: 'a key comes twice',
      raise: statements('CREATE TEMP TABLE t (a int PRIMARY KEY)', 'INSERT INTO t VALUES (1)', 'INSERT INTO t VALUES (1)'),
    },
  ],
  '23503': [
    {
      when: 'the referenced row is missing',
      raise: statements('CREATE TEMP TABLE t (a int PRIMARY KEY)', 'CREATE TEMP TABLE u (a int REFERENCES t)', 'INSERT INTO u VALUES (1)'),
    },
  ],
  '23514': [{ when: 'a check does not hold', raise: statements('CREATE TEMP TABLE t (a int CHECK (a > 0))', 'INSERT INTO t VALUES (0)') }],
  '23P01': [
    {
      when: 'ranges overlap',
      raise: statements('CREATE TEMP TABLE t (a int4range, EXCLUDE USING gist (a WITH &&))', "INSERT INTO t VALUES ('[1,3)'), ('[2,4)')"),
    },
  ],
  '23xxx': [{ when: 'a value is missing', raise: statements('CREATE TEMP TABLE t (a int NOT NULL)', 'INSERT INTO t VALUES (NULL)') }],
  '40001': [{ when: 'a row has changed since the snapshot', raise: changeRowTwice }],
  '40P01': [{ when: 'two transactions wait for each other', raise: deadlock }],
  '53000': [{ when: 'the server has no file descriptor left', raise: takeFileDescriptors, ...onLinux }],
  '53100': [{ when: 'the device is full', raise: statements("COPY (SELECT repeat('x', 100000)) TO '/dev/full'"), ...onLinux }],
  '53400': [
    {
      when: 'a sort needs more than its share of temporary files',
      raise: statements("SET temp_file_limit = '1kB'", "SET work_mem = '64kB'", 'SELECT * FROM generate_series(1, 100000) AS i ORDER BY i DESC'),
    },
  ],
  '55P03': [
    { when: 'NOWAIT finds a lock', raise: stage => wantLocked(stage, 'LOCK TABLE locked NOWAIT') },
    { when: 'lock_timeout passes', raise: stage => wantLocked(stage, "SET LOCAL lock_timeout = '10ms'; LOCK TABLE locked") },
  ],
  '55006': [
    {
      when: 'a table is dropped under a cursor',
      raise: statements('CREATE TEMP TABLE t (a int)', 'BEGIN', 'DECLARE c CURSOR FOR SELECT * FROM t', 'DROP TABLE t'),
    },
  ],
  '55000': [{ when: 'a sequence has not been used yet', raise: statements('CREATE TEMP SEQUENCE s', "SELECT currval('s')") }],
  '57014': [
    { when: 'statement_timeout passes', raise: statements("SET statement_timeout = '20ms'", 'SELECT pg_sleep(20)') },
    { when: 'somebody cancels the statement', raise: stage => whileRunning(stage, 'pg_cancel_backend') },
  ],
  '58030': [{ when: 'the device reports an error', raise: statements("SELECT pg_read_binary_file('/proc/self/mem', 0, 10)"), ...onLinux }],
  XX000: [{ when: 'the server meets what must not be', raise: statements("SELECT array_in('{1}', 999999, -1)") }],
  '57P01': [
    { when: 'an administrator ends the session of a running statement', raise: stage => whileRunning(stage, 'pg_terminate_backend') },
    { when: 'an administrator ends an idle session', raise: endIdle },
  ],
}

async function bindTooFew(stage: Stage): Promise<void> {
  const { connection } = await stage.open()
  const statement = { name: 'sum', text: 'SELECT $1::int + $2::int' }
  await connection.query({ ...statement, values: [1, 2] })
  await connection.query({ ...statement, values: [1] })
}

async function changePreparedTable(stage: Stage): Promise<void> {
  const { connection } = await stage.open()
  const statement = { name: 'all', text: 'SELECT * FROM t' }
  await connection.query('CREATE TEMP TABLE t (a int)')
  await connection.query(statement)
  await connection.query('ALTER TABLE t ADD b int')
  await connection.query(statement)
}

async function goOnAfterError(stage: Stage): Promise<void> {
  const { run } = await stage.open()
  await run('BEGIN')
  await run('SELECT 1 / 0').catch(() => undefined)
  await run('SELECT 1')
}

async function loseStatement(stage: Stage): Promise<void> {
  const { connection } = await stage.open()
  const statement = { name: 'one', text: 'SELECT 1' }
  await connection.query(statement)
  await connection.query('DEALLOCATE ALL')
  await connection.query(statement)
}

async function changeRowTwice(stage: Stage): Promise<void> {
  const [first, second] = await twoOn(stage, 'CREATE TABLE changed (a int); INSERT INTO changed VALUES (1)')
  await second.run('BEGIN ISOLATION LEVEL REPEATABLE READ')
  await second.run('SELECT * FROM changed')
  await first.run('UPDATE changed SET a = 2')
  await second.run('UPDATE changed SET a = 3')
}

async function deadlock(stage: Stage): Promise<void> {
  const [first, second] = await twoOn(stage, 'CREATE TABLE crossed (a int); INSERT INTO crossed VALUES (1), (2)')
  for (const [{ run }, row] of [
    [first, 1],
    [second, 2],
  ] as const) {
    await run("SET deadlock_timeout = '10ms'")
    await run('BEGIN')
    await run(`SELECT * FROM crossed WHERE a = ${row} FOR UPDATE`)
  }
  await Promise.all([first.run('SELECT * FROM crossed WHERE a = 2 FOR UPDATE'), second.run('SELECT * FROM crossed WHERE a = 1 FOR UPDATE')])
}

async function wantLocked(stage: Stage, statement: string): Promise<void> {
  const [first, second] = await twoOn(stage, 'CREATE TABLE IF NOT EXISTS locked (a int)')
  await first.run('BEGIN')
  await first.run('LOCK TABLE locked')
  await second.run('BEGIN')
  for (const part of statement.split('; ')) await second.run(part)
}

async function twoOn(stage: Stage, preparation: string): Promise<[Session, Session]> {
  await stage.ask(preparation)
  return [await stage.open(), await stage.open()]
}

// As the server's own user, who alone may change the limits of its processes.
async function takeFileDescriptors(stage: Stage): Promise<void> {
  const { run, pid } = await stage.open()
  const { status, stderr } = spawnSync('prlimit', ['--pid', String(await pid()), '--nofile=3:'], { ...serverIdentity(), encoding: 'utf8' })
  if (status !== 0) throw new Error(`the limit was not set: ${stderr}`)
  await run("SELECT pg_read_file('postgresql.conf')")
}

async function whileRunning(stage: Stage, action: string): Promise<void> {
  const { run, pid } = await stage.open()
  const id = await pid()
  const running = run('SELECT pg_sleep(20)')
  await Promise.all([running, stage.ask(`SELECT ${action}(pid) FROM pg_stat_activity, pg_sleep(0.05) WHERE pid = ${id}`)])
}

async function endIdle(stage: Stage): Promise<void> {
  const { fails, pid } = await stage.open()
  const id = await pid()
  const failed = fails()
  await Promise.all([failed, stage.ask(`SELECT pg_terminate_backend(${id})`)])
}
