import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { main as maintenance } from '../../../functions-devkit/test/application/packages/ops/maintenance/index.ts'
import { main as webhook } from '../../../functions-devkit/test/application/packages/api/webhook/index.ts'
import { call, environmentFor, withFunctions } from '../../../functions-devkit/test/support/functions.ts'
import { completedTransaction, signedHeaders } from '../../../functions-devkit/test/support/webhooks.ts'
import type { TestDatabase } from '../../../functions-devkit/test/support/database.ts'

const ask = (input: Record<string, unknown>) => maintenance({ task: 'webhooks', ...input }, { getRemainingTimeInMillis: () => 20_000 })
const body = completedTransaction({ transactionId: 'txn_1' })

/** Runs a test with one event that was parked. */
async function withParked(work: (database: TestDatabase, id: string) => Promise<void>): Promise<void> {
  await withFunctions([webhook, maintenance], async database => {
    await database.query('ALTER TABLE transactions RENAME TO elsewhere')
    await call(webhook, { method: 'POST', path: '/demo', body, headers: signedHeaders(body, { id: 'msg_1' }) })
    await database.query('ALTER TABLE elsewhere RENAME TO transactions')
    const [row] = await database.query<{ id: string }>('SELECT id FROM webhook_events')
    await work(database, row?.id ?? '')
  })
}

const command = (database: TestDatabase, ...words: string[]) => run(environmentFor(database), ...words, '--json')

function run(env: Record<string, string>, ...words: string[]) {
  const file = join(import.meta.dirname, '../../../functions-devkit/src/cli/webhooks.ts')
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...words], { env, encoding: 'utf8' })
  return { status, stdout, stderr, answer: words.includes('--json') && stdout !== '' ? (JSON.parse(stdout) as unknown) : undefined }
}

describe('a parked event', () => {
  it('is listed and shown, its body only when that is asked for', async () => {
    await withParked(async (_database, id) => {
      expect(await ask({ action: 'list' })).toMatchObject({
        events: [{ id, externalId: 'msg_1', state: 'parked', lastError: '42P01', attempts: 1 }],
        buffer: null,
      })
      expect(await ask({ action: 'list', state: 'pending' })).toMatchObject({ events: [] })
      expect(JSON.stringify(await ask({ action: 'show', id }))).not.toContain('txn_1')
      expect(await ask({ action: 'show', id, body: true })).toMatchObject({ event: { id, body } })
    })
  })

  it.each(['this one', 'all'])('is applied by the next run when a person asks for %s', async which => {
    await withParked(async (database, id) => {
      expect(await ask({ action: 'retry', id: which === 'all' ? 'all' : id })).toEqual({ retried: 1 })
      expect(await maintenance({}, { getRemainingTimeInMillis: () => 20_000 })).toMatchObject({ attempts: { applied: 1 } })
      expect(await database.query('SELECT external_id AS id FROM transactions')).toEqual([{ id: 'txn_1' }])
      expect(await ask({ action: 'retry', id })).toMatchObject({ error: { code: 'event-processed', status: 409 } })
    })
  })

  it('can be parked again before it is tried', async () => {
    await withParked(async (database, id) => {
      await ask({ action: 'retry', id })
      expect(await ask({ action: 'park', id })).toEqual({ parked: 1 })
      expect(await maintenance({}, { getRemainingTimeInMillis: () => 20_000 })).toMatchObject({ attempts: null })
      expect(await database.query('SELECT outcome FROM webhook_events')).toEqual([{ outcome: 'failed' }])
    })
  })

  it('is what the command line works on as well', async () => {
    await withParked(async (database, id) => {
      expect(command(database, 'list')).toMatchObject({ status: 0, answer: { events: [{ id }] } })
      expect(command(database, 'show', id, '--body')).toMatchObject({ status: 0, answer: { event: { body } } })
      expect(command(database, 'retry', id)).toMatchObject({ status: 0, answer: { retried: 1 } })
      expect(command(database, 'show', '0192b7f0-0000-7000-8000-000000000001')).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/^event-unknown/) as string,
      })
      const unfit = completedTransaction({ amount: 'ten' })
      await call(webhook, { method: 'POST', path: '/demo', body: unfit, headers: signedHeaders(unfit, { id: 'msg_2' }) })
      expect(command(database, 'list')).toMatchObject({ answer: { events: [{ lastError: 'content-invalid', invalidPaths: ['/data/amount'] }] } })
      const { status, stdout } = run(environmentFor(database), 'list')
      expect(status).toBe(0)
      const [names = '', ...rows] = stdout.trimEnd().split('\n')
      expect(names).toMatch(/^id +source +event id +type +state +received +attempts +next attempt +last error$/)
      expect(rows).toEqual([expect.stringMatching(/^[\w-]{36} {2}demo +msg_2 +\S+ +parked +\S+Z +\d +- +content-invalid "\/data\/amount"$/)])
      expect(run(environmentFor(database), 'show', id, '--body').stdout).toContain(`\nbody\n${body}\n`)
      const unset = run({}, 'list')
      expect(unset).toMatchObject({ status: 1, stderr: expect.stringMatching(/^DB_\w+ is missing.*\nsettings-invalid/ms) as string })
      for (const words of [[], ['forget', id], ['show'], ['retry', 'x'], ['list', '--limit', '0']]) expect(command(database, ...words).status).toBe(2)
    })
  })
})
