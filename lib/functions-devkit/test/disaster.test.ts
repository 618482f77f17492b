import { migrations } from './application/lib/app/migrations/index.ts'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, expect, test } from 'vitest'
import { migrationSettings } from '../../functions-runtime/src/database/settings.ts'
import { applyMigrations } from '../../functions-runtime/src/database/migrate.ts'
import { openDeadline } from '../../invocation/src/deadline.ts'
import { main as user } from './application/packages/api/user/index.ts'
import { main as webhook } from './application/packages/api/webhook/index.ts'
import type { Answer } from './support/answer.ts'
import { apiKey, call, keySetting, webhookSecret, withEnvironment } from './support/functions.ts'
import { installedPostgres, startInstalledPostgres, type InstalledServer } from './support/installed-postgres.ts'
import { completedTransaction, signedHeaders } from './support/webhooks.ts'

const bin = installedPostgres()
const README = readFileSync(join(import.meta.dirname, '../../../README.md'), 'utf8')

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
async function on<Result>(url: string, work: () => Promise<Result>): Promise<Result> {
  return withEnvironment(variablesFor(url), work).finally(() => Promise.all([user.shutdown(), webhook.shutdown()]))
}

/** A delivery that can be sent again, byte by byte the same. */
function delivery(data: Record<string, unknown>): () => Promise<Answer> {
  const body = completedTransaction(data)
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
  return applyMigrations({ settings, deadline, migrations }).finally(() => deadline.clear())
}

test.skipIf(bin === undefined)(
  'a lost database comes back from its dump: every event and balance, and senders may send again',
  { timeout: 120_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dump-'))
    cleanUp.push(() => rmSync(folder, { recursive: true }))
    const start = async (): Promise<InstalledServer> => {
      const server = await startInstalledPostgres(bin ?? '')
      cleanUp.push(() => server.destroy())
      return server
    }
    const run = (command: string, variables: Record<string, string>) =>
      execFileSync('/bin/sh', ['-ec', command], { cwd: folder, env: { PATH: `${bin}:${process.env.PATH}`, ...variables }, encoding: 'utf8' })
    const [dump = '', restore = '', ...rest] = drillCommands()
    expect(rest).toEqual(['DB_MIGRATION_URL="$NEW_URL" npm run migrate -- up'])

    const first = await start()
    const lost = await first.database('live')
    const { applied } = await migrate(lost)
    expect(applied.length).toBeGreaterThan(5)

    const events = Array.from({ length: 12 }, (_, index) =>
      delivery({ userId: `usr_${index % 3}`, amount: `${index + 1}.25`, currency: index % 2 ? 'EUR' : 'USD' }),
    )
    await on(lost, async () => {
      for (const name of ['usr_0', 'usr_1', 'usr_2']) {
        const created = await call(user, {
          method: 'POST',
          headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
          body: JSON.stringify({ email: `${name}@example.com`, name, externalId: name }),
        })
        expect(created.statusCode).toBe(201)
      }
      for (const send of events) expect(await send()).toMatchObject({ statusCode: 200, body: { outcome: 'applied' } })
    })
    const before = await contentOf(lost)
    expect(before.webhook_events).toHaveLength(12)
    expect(before.balances).toHaveLength(6)
    run(dump, { DB_CONNECTION_URL: lost })
    expect(statSync(join(folder, 'backup.dump')).size).toBeGreaterThan(1_000)

    // What comes after the dump is lost with the server, unless its sender sends it again.
    const late = delivery({ userId: 'usr_0', amount: '100.00', currency: 'EUR' })
    await on(lost, async () => expect(await late()).toMatchObject({ body: { outcome: 'applied' } }))
    await first.destroy()

    const fresh = await (await start()).database('restored')
    run(restore, { NEW_URL: fresh })
    expect(await migrate(fresh)).toEqual({ applied: [], alreadyApplied: applied.length })
    expect(await contentOf(fresh)).toEqual(before)

    await on(fresh, async () => {
      for (const send of events) expect(await send()).toMatchObject({ statusCode: 200, body: { outcome: 'duplicate' } })
      expect((await contentOf(fresh)).balances).toEqual(before.balances)
      expect(await late()).toMatchObject({ statusCode: 200, body: { outcome: 'applied' } })
    })
    const balanceOf = (content: Record<string, string[]>) => content.balances?.length
    expect(balanceOf(await contentOf(fresh))).toBe(6)
    expect((await contentOf(fresh)).webhook_events).toHaveLength(13)
  },
)
