import { randomUUID } from 'node:crypto'
import pg from 'pg'

// A pool of pg in module scope, of one connection, with a listener for its errors.

const SEED = '0198c0de-0000-7000-8000-000000000001'
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, ssl: { ca: process.env.DB_CA_CERT }, max: 1 })
pool.on('error', () => undefined)

export async function call(kind: 'read' | 'write'): Promise<void> {
  if (kind === 'read') {
    const { rows } = await pool.query('SELECT id, email, name, external_id, created_at, updated_at FROM users WHERE id = $1', [SEED])
    if (rows.length !== 1) throw new Error('nobody was found')
    return
  }
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await client.query('INSERT INTO users (id, email, name, created_at, updated_at) VALUES ($1, $2, $3, now(), now())', [
      randomUUID(),
      `${randomUUID()}@example.com`,
      'Bench',
    ])
    await client.query('COMMIT')
  } finally {
    client.release()
  }
}
