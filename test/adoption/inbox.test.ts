import { randomBytes, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { terminateSessions } from '../support/adoption/application.ts'
import { startChild, type Child } from '../support/adoption/child.ts'
import { consumer, CONSUMER_TIMEOUT_MS } from '../support/adoption/consumer.ts'
import { NODE_24 } from '../support/adoption/nodes.ts'
import { ADOPTION_TIMES } from '../support/adoption/times.ts'
import { withDatabase, type TestDatabase } from '../../lib/functions-devkit/test/support/database.ts'
import { signedHeaders } from '../../lib/functions-devkit/test/support/webhooks.ts'

const EVENTS = 60 * ADOPTION_TIMES
const DELIVERIES_AT_ONCE = 3
const SENDERS = 8
const STRIKES = 6 * ADOPTION_TIMES
const AGAIN_MS = 50
const LINES = 10

let folder: string
beforeAll(async () => void ({ folder } = await consumer()), CONSUMER_TIMEOUT_MS)

it(`an inbox adds at most ${LINES} lines to somebody's server`, async () => {
  const program = await readFile(join(folder, 'inbox-server.cjs'), 'utf8')
  const [, added = ''] = /^\/\/ begin$(.*)^\/\/ end$/ms.exec(program) ?? []
  expect(added).toContain('inbox.receive(')
  expect(added.split('\n').filter(line => line.trim() !== '').length).toBeLessThanOrEqual(LINES)
})

describe('a route with an inbox', { timeout: 60_000 * ADOPTION_TIMES }, () => {
  const secret = `whsec_${randomBytes(32).toString('base64')}`

  async function withServers(work: (stage: { start(): Promise<Server>; database: TestDatabase }) => Promise<void>): Promise<void> {
    await withDatabase(
      async database => {
        const children: Child[] = []
        const start = async (): Promise<Server> => {
          const child = startChild({
            file: join(folder, 'inbox-server.cjs'),
            env: { DATABASE_URL: database.url, SHOP_SECRET: secret },
            node: NODE_24,
          })
          children.push(child)
          if (children.length === 1) await child.order('prepare')
          return { child, url: `http://127.0.0.1:${(await child.order('begin')) as number}/webhooks/shop` }
        }
        try {
          await work({ start, database })
        } finally {
          await Promise.all(children.map(child => child.end()))
        }
      },
      { empty: true },
    )
  }

  const bodyOf = (reference: string) => JSON.stringify({ type: 'payment.paid', timestamp: new Date().toISOString(), data: { reference } })
  const post = (url: string, body: string, headers = signedHeaders(body, { secret })) => fetch(url, { method: 'POST', headers, body })

  it('applies each event once despite duplicates, races, lost sessions and restarts', async () => {
    await withServers(async ({ start, database }) => {
      const servers = [await start(), await start()]
      const references: string[] = []
      let struck = 0
      const answers = new Map<number, number>()

      /** As a sender does: several deliveries of one event at once, again and again until one is taken. */
      const deliver = async (reference: string) => {
        const body = bodyOf(reference)
        const headers = signedHeaders(body, { secret, id: `msg_${reference}` })
        for (;;) {
          const deliveries = Array.from({ length: DELIVERIES_AT_ONCE }, async (_, index) => {
            const response = await post(servers[index % servers.length]?.url ?? '', body, headers).catch(() => undefined)
            const status = response?.status ?? 0
            answers.set(status, (answers.get(status) ?? 0) + 1)
            return status
          })
          if ((await Promise.all(deliveries)).some(status => status === 200 || status === 202)) return
          await sleep(AGAIN_MS)
        }
      }
      const send = async () => {
        while (references.length < EVENTS || struck < STRIKES) {
          const reference = randomUUID()
          references.push(reference)
          await deliver(reference)
        }
      }
      let sent = false
      const strike = async () => {
        for (let time = 0; !sent; time += 1) {
          await sleep(150)
          if (time % 3 !== 2) await terminateSessions(database)
          else {
            await servers[time % 2]?.child.end()
            servers[time % 2] = await start()
          }
          struck += 1
        }
      }
      const striking = strike()
      await Promise.all(Array.from({ length: SENDERS }, send)).finally(() => (sent = true))
      await striking

      const pending = 'SELECT 1 FROM inbox.webhook_events WHERE outcome IS NULL'
      await database.query('UPDATE inbox.webhook_events SET next_attempt_at = now() WHERE outcome IS NULL')
      await expect.poll(() => database.query(pending), { timeout: 30_000 }).toEqual([])
      const events = await database.query('SELECT outcome, count(*)::int AS count FROM inbox.webhook_events GROUP BY 1')
      expect(events).toEqual([{ outcome: 'applied', count: references.length }])
      const booked = await database.query<{ reference: string }>('SELECT reference FROM payments')
      expect(booked.map(({ reference }) => reference).sort()).toEqual(references.sort())
      // It was as bad as it was meant to be.
      expect(answers.get(200)).toBeGreaterThan(EVENTS)
      expect(answers.get(0)).toBeGreaterThan(0)
    })
  })

  it('refuses forged events and unknown sources, and parks unreadable content', async () => {
    await withServers(async ({ start, database }) => {
      const { url } = await start()
      const body = bodyOf('a')
      const forged = await post(url, body, signedHeaders(body, { secret: `whsec_${randomBytes(32).toString('base64')}` }))
      expect([forged.status, forged.headers.get('content-type'), await forged.json()]).toMatchObject([
        401,
        expect.stringContaining('application/problem+json'),
        { code: 'signature-mismatch', requestId: forged.headers.get('x-request-id') },
      ])
      expect((await post(url.replace('shop', 'nobody'), body)).status).toBe(404)
      const odd = JSON.stringify({ type: 'payment.paid', data: { reference: 1 } })
      expect(await (await post(url, odd)).json()).toEqual({ outcome: 'failed' })
      const tables = "SELECT schemaname AS schema, tablename AS name FROM pg_tables WHERE schemaname IN ('public', 'inbox') ORDER BY 1, 2"
      expect(await database.query(tables)).toEqual([
        { schema: 'inbox', name: 'schema_migrations' },
        { schema: 'inbox', name: 'webhook_events' },
        { schema: 'public', name: 'payments' },
      ])
    })
  })
})

interface Server {
  readonly child: Child
  readonly url: string
}
