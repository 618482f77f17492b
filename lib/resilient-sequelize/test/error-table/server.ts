import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { type LocalPostgres } from '../../../functions-devkit/src/server/postgres/local-postgres.ts'
import { hasPgBouncer } from '../../../postgres-faults/src/pgbouncer.ts'
import { withPooler } from './pooler.ts'
import { type Provocations } from './provocation.ts'
import { statements, type Stage } from './stage.ts'

/** A server with few connections and few locks, which a provocation may stop and damage. */
export interface ServerStage {
  postgres: LocalPostgres
  stage: Stage
}

/** The settings that these provocations rely on. */
export const serverSettings = { max_connections: '6', superuser_reserved_connections: '2', max_locks_per_transaction: '10' }

const PAGE_BYTES = 8192
const FIRST_PAGE = 0
/** After the page with the index's own data. */
const ROOT_PAGE = 1

/** What a server meets that is full, on its way down, damaged, or without TLS. */
export const serverProvocations: Provocations<ServerStage> = {
  '53300': [
    { when: 'the server has as many sessions as it takes', raise: ({ stage }) => openAll(stage, {}) },
    { when: 'the last sessions are reserved for administrators', raise: openAsSomebody },
  ],
  '08P01:server-full': [{ when: 'the pooler is turned away by a full server', raise: openThroughPooler, possible: hasPgBouncer() }],
  '53200': [
    {
      when: 'there is no memory for another lock',
      raise: ({ stage }) => statements('SELECT pg_advisory_lock(i) FROM generate_series(1, 100000) AS i')(stage),
    },
  ],
  '57P03': [{ when: 'the server waits for its last session to shut down', raise: connectWhileShuttingDown }],
  XX001: [{ when: 'a page of a table is damaged', raise: readDamagedTable }],
  XX002: [{ when: 'a page of an index is damaged', raise: readDamagedIndex }],
  'text:tls-unsupported': [
    {
      when: 'the server has no TLS',
      raise: ({ stage }) => stage.open({ tls: { mode: 'unverified', options: { minVersion: 'TLSv1.2', rejectUnauthorized: false } } }),
    },
  ],
}

async function openAll(stage: Stage, who: { user?: string; password?: string }): Promise<never> {
  for (;;) await stage.open(who)
}

async function openAsSomebody({ stage }: ServerStage): Promise<void> {
  await stage.ask("DROP ROLE IF EXISTS somebody; CREATE ROLE somebody LOGIN PASSWORD 'secret'")
  await openAll(stage, { user: 'somebody', password: 'secret' })
}

async function openThroughPooler(server: ServerStage): Promise<void> {
  await openAsSomebody(server).catch(() => undefined)
  const { stage } = server
  await withPooler(stage, { server: { ...stage.direct, user: 'somebody', password: 'secret' } }, pooled => pooled.open())
}

// Asked politely, the server takes nobody new and waits for those who are there.
async function connectWhileShuttingDown({ postgres, stage }: ServerStage): Promise<void> {
  await stage.open()
  process.kill(postgres.pid ?? NaN, 'SIGTERM')
  try {
    // The signal takes a moment: until then log-ins succeed, of which there are only so many.
    for (;;) {
      await stage.open()
      await stage.leave(1)
    }
  } finally {
    await stage.leave()
    await postgres.stop()
    await postgres.start()
  }
}

async function readDamagedTable(server: ServerStage): Promise<void> {
  const { stage } = server
  await stage.ask('DROP TABLE IF EXISTS damaged; CREATE TABLE damaged AS SELECT i FROM generate_series(1, 100) AS i')
  await overwrite(server, 'damaged', FIRST_PAGE, 0xff)
  await statements('SELECT * FROM damaged')(stage)
}

async function readDamagedIndex(server: ServerStage): Promise<void> {
  const { stage } = server
  await stage.ask('DROP TABLE IF EXISTS indexed; CREATE TABLE indexed (i int PRIMARY KEY); INSERT INTO indexed VALUES (1)')
  await overwrite(server, 'indexed_pkey', ROOT_PAGE, 0)
  await statements('SET enable_seqscan = off', 'SELECT * FROM indexed WHERE i = 1')(stage)
}

/** Overwrites one page of a relation while the server is down. */
async function overwrite({ postgres, stage }: ServerStage, relation: string, page: number, byte: number): Promise<void> {
  const [found] = await stage.ask<{ path: string }>(`SELECT pg_relation_filepath('${relation}') AS path`)
  await postgres.stop()
  const file = await open(join(postgres.dataFolder, found?.path ?? ''), 'r+')
  await file.write(Buffer.alloc(PAGE_BYTES, byte), 0, PAGE_BYTES, page * PAGE_BYTES)
  await file.close()
  await postgres.start()
}
