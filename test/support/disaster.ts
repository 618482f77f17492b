import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, expect, test } from 'vitest'
import { application } from '../../lib/functions-devkit/src/application.ts'
import { migrationSettings } from '../../lib/functions-runtime/src/database/settings.ts'
import { applyMigrations } from '../../lib/functions-runtime/src/database/migrate.ts'
import { openDeadline } from '../../lib/invocation/src/deadline.ts'
import type { Main } from '../../lib/functions-runtime/src/edge/define.ts'
import { main as webhook } from '../../packages/api/webhook/index.ts'
import type { Answer } from '../../lib/functions-devkit/test/support/answer.ts'
import { REPOSITORY } from '../../lib/functions-devkit/test/support/tested-application.ts'
import { apiKey, call, keySetting, webhookSecret, withEnvironment } from '../../lib/functions-devkit/test/support/functions.ts'
import { installedPostgres, startInstalledPostgres, type InstalledServer } from '../../lib/functions-devkit/test/support/installed-postgres.ts'
import { signedHeaders } from '../../lib/functions-devkit/test/support/webhooks.ts'

const bin = installedPostgres()
const README = readFileSync(join(REPOSITORY, 'README.md'), 'utf8')

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const task of cleanUp.splice(0).reverse()) await task()
})

/** The commands of the drill as the README has them, in order. */
function drillCommands(): string[] {
  const [, chapter = ''] = /^### When the database is lost$(.*?)^##/ms.exec(README) ?? []
  const [, block = ''] = /```sh\n(.*?)```/s.exec(chapter) ?? []
  return block.split('\n').filter(line => line !== '' && !line.startsWith('#'))
}

const variablesFor = (url: string) => ({
  DB_CONNECTION_URL: url,
  LOG_LEVEL: 'silent',
  API_KEYS: keySetting(apiKey),
  WEBHOOK_SECRET_DEMO: webhookSecret,
  PAYLOAD_KEY: Buffer.alloc(32, 3).toString('base64'),
})

/** Works on a database through the functions, as in a fresh container. */
async function on<Result>(url: string, mains: readonly Main[], work: () => Promise<Result>): Promise<Result> {
  return withEnvironment(variablesFor(url), work).finally(() => Promise.all([webhook, ...mains].map(main => main.shutdown())))
}

/** A delivery that can be sent again, byte by byte the same. */
function delivery(body: string): () => Promise<Answer> {
  const headers = signedHeaders(body)
  return () => call(webhook, { method: 'POST', path: '/demo', headers, body })
}

/** Everything that there is, as text. */
async function contentOf(url: string): Promise<Record<string, string[]>> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
    )
    const content: Record<string, string[]> = {}
    for (const { name } of tables) {
      const { rows } = await client.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t ORDER BY 1`)
      content[name] = rows.map(({ row }) => row)
    }
    return content
  } finally {
    await client.end()
  }
}

async function migrate(url: string) {
  const settings = migrationSettings.parse({ DB_CONNECTION_URL: url }).value
  if (!settings) throw new Error('the settings of the test are wrong')
  const deadline = openDeadline({ remainingMs: 60_000 })
  return applyMigrations({ settings, deadline, migrations: application.migrations }).finally(() => deadline.clear())
}

/** What a drill loses and gets back. */
export interface Drill {
  /** Bodies of events that the dump holds. */
  readonly events: readonly string[]
  /** Body of an event that comes after the dump. */
  readonly late: string
  /** Functions of the application that `prepare` calls. */
  readonly mains?: readonly Main[]
  /** Works on the database before the first event. */
  readonly prepare?: () => Promise<void>
  /** Tables that every event changes, with the number of their rows: a duplicate may change none. */
  readonly tables?: Readonly<Record<string, number>>
}

/** Tests that a lost database comes back from its dump with the commands of the README. */
export function testDrill(title: string, { events: bodies, late: lateBody, mains = [], prepare, tables = {} }: Drill): void {
  test.skipIf(bin === undefined)(title, { timeout: 120_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dump-'))
    cleanUp.push(() => rmSync(folder, { recursive: true }))
    const start = async (): Promise<InstalledServer> => {
      const server = await startInstalledPostgres(bin ?? '')
      cleanUp.push(() => server.destroy())
      return server
    }
    const run = (command: string, variables: Record<string, string>) =>
      execFileSync('/bin/sh', ['-ec', command], { cwd: folder, env: { PATH: `${bin}:${process.env.PATH}`, ...variables }, encoding: 'utf8' })
    const countsOf = (content: Record<string, string[]>) => Object.fromEntries(Object.keys(tables).map(name => [name, content[name]?.length]))
    const [dump = '', restore = '', ...rest] = drillCommands()
    expect(rest).toEqual(['DB_MIGRATION_URL="$NEW_URL" npm run migrate -- up'])

    const first = await start()
    const lost = await first.database('live')
    const { applied } = await migrate(lost)
    expect(applied).toHaveLength(application.migrations.length)

    const events = bodies.map(delivery)
    await on(lost, mains, async () => {
      await prepare?.()
      for (const send of events) expect(await send()).toMatchObject({ statusCode: 200, body: { outcome: 'applied' } })
    })
    const before = await contentOf(lost)
    expect(before.webhook_events).toHaveLength(events.length)
    expect(countsOf(before)).toEqual(tables)
    run(dump, { DB_CONNECTION_URL: lost })
    expect(statSync(join(folder, 'backup.dump')).size).toBeGreaterThan(1_000)

    // What comes after the dump is lost with the server, unless its sender sends it again.
    const late = delivery(lateBody)
    await on(lost, mains, async () => expect(await late()).toMatchObject({ body: { outcome: 'applied' } }))
    await first.destroy()

    const fresh = await (await start()).database('restored')
    run(restore, { NEW_URL: fresh })
    expect(await migrate(fresh)).toEqual({ applied: [], alreadyApplied: applied.length })
    expect(await contentOf(fresh)).toEqual(before)

    await on(fresh, mains, async () => {
      for (const send of events) expect(await send()).toMatchObject({ statusCode: 200, body: { outcome: 'duplicate' } })
      const after = await contentOf(fresh)
      for (const name of Object.keys(tables)) expect(after[name]).toEqual(before[name])
      expect(await late()).toMatchObject({ statusCode: 200, body: { outcome: 'applied' } })
    })
    const after = await contentOf(fresh)
    expect(countsOf(after)).toEqual(tables)
    expect(after.webhook_events).toHaveLength(events.length + 1)
  })
}
