import { randomUUID } from 'node:crypto'
import postgres from 'postgres'

// postgres.js in module scope, with one connection.

const SEED = '0198c0de-0000-7000-8000-000000000001'
const sql = postgres(process.env.DATABASE_URL ?? '', { max: 1, ssl: { ca: process.env.DB_CA_CERT } })

export async function call(kind: 'read' | 'write'): Promise<void> {
  if (kind === 'write') {
    await sql.begin(
      transaction =>
        transaction`INSERT INTO users (id, email, name, created_at, updated_at) VALUES (${randomUUID()}, ${`${randomUUID()}@example.com`}, 'Bench', now(), now())`,
    )
    return
  }
  const rows = await sql`SELECT id, email, name, external_id, created_at, updated_at FROM users WHERE id = ${SEED}`
  if (rows.length !== 1) throw new Error('nobody was found')
}
