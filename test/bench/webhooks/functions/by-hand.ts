import { createHash, createHmac, randomUUID, timingSafeEqual } from 'node:crypto'
import pg from 'pg'

// The rival: what somebody writes who needs one event of one sender, with one connection that is kept. It leaves the same
// rows behind as ours does: the event with what was sent, and a transaction that no older event takes back.

interface Event {
  http: { headers: Record<string, string>; body: string; isBase64Encoded: boolean }
}
interface Content {
  type: string
  timestamp: string
  data: { transactionId: string; userId: string; amount: string; currency: string }
}

const key = Buffer.from((process.env.WEBHOOK_SECRET_DEMO ?? '').replace(/^whsec_/, ''), 'base64')
let client: Promise<pg.Client> | undefined

export async function main({ http }: Event): Promise<{ statusCode: number; body: object }> {
  const body = Buffer.from(http.body, http.isBase64Encoded ? 'base64' : 'utf8')
  const id = http.headers['webhook-id'] ?? ''
  if (!isSigned(http.headers, id, body)) return { statusCode: 401, body: {} }
  const { type, timestamp, data } = JSON.parse(body.toString('utf8')) as Content
  const db = await (client ??= connect())
  const row = randomUUID()
  try {
    await db.query('BEGIN')
    const claimed = await db.query(
      `INSERT INTO webhook_events (id, source, external_id, type, received_at, attempts, body, headers, verdict, body_hash)
       VALUES ($1, 'demo', $2, $3, now(), 1, $4, $5, 'standard', $6) ON CONFLICT (source, external_id) DO NOTHING`,
      [row, id, type, Buffer.concat([Buffer.of(0), body]), JSON.stringify(keptOf(http.headers)), createHash('sha256').update(body).digest()],
    )
    if (claimed.rowCount === 1) {
      await db.query(
        `INSERT INTO transactions (id, external_id, user_id, user_external_id, amount, currency, status, occurred_at, created_at, updated_at)
         VALUES ($1, $2, (SELECT id FROM users WHERE external_id = $3), $3, $4, $5, 'completed', $6, now(), now())
         ON CONFLICT (external_id) DO UPDATE SET status = 'completed', occurred_at = excluded.occurred_at, updated_at = now()
         WHERE transactions.status = 'pending' OR (transactions.status <> 'refunded' AND transactions.occurred_at < excluded.occurred_at)`,
        [randomUUID(), data.transactionId, data.userId, data.amount, data.currency, timestamp],
      )
      await db.query("UPDATE webhook_events SET outcome = 'applied', processed_at = now() WHERE id = $1", [row])
    }
    await db.query('COMMIT')
    return { statusCode: 200, body: { outcome: claimed.rowCount === 1 ? 'applied' : 'duplicate' } }
  } catch (error) {
    await db.query('ROLLBACK').catch(() => undefined)
    return { statusCode: 500, body: { code: (error as { code?: string }).code } }
  }
}

function isSigned(headers: Record<string, string>, id: string, body: Buffer): boolean {
  const timestamp = headers['webhook-timestamp'] ?? ''
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false
  const wanted = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest()
  return (headers['webhook-signature'] ?? '').split(' ').some(part => {
    const given = Buffer.from(part.replace(/^v1,/, ''), 'base64')
    return given.length === wanted.length && timingSafeEqual(given, wanted)
  })
}

function keptOf(headers: Record<string, string>): object {
  return Object.fromEntries(['content-type', 'webhook-timestamp', 'webhook-id'].map(name => [name, headers[name]]))
}

async function connect(): Promise<pg.Client> {
  const fresh = new pg.Client({ connectionString: process.env.DATABASE_URL })
  fresh.on('error', () => (client = undefined))
  await fresh.connect()
  return fresh
}
