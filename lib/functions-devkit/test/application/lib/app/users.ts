import { randomUUID } from 'node:crypto'
import * as z from 'zod/mini'
import type { DatabaseService, Work } from '../../../../../functions-runtime/src/database/service.ts'
import { sql } from '../../../../../functions-runtime/src/database/sql.ts'
import { NotFoundError } from '../../../../../functions-runtime/src/edge/http-errors.ts'
import { tables } from './tables.ts'

export const userSchema = z.strictObject({ id: z.uuid(), email: z.string(), name: z.string() })
export type User = z.output<typeof userSchema>

const CREATE = sql`
  INSERT INTO ${tables.users} AS u (id, email, name, created_at, updated_at) VALUES ($id, $email, $name, now(), now())
  ON CONFLICT (email) DO UPDATE SET name = EXCLUDED.name RETURNING u.id, u.email, u.name`
const READ = sql`SELECT id, email, name FROM ${tables.users} WHERE $id::uuid IS NULL OR id = $id::uuid ORDER BY id`
const DELETE = sql`DELETE FROM ${tables.users} WHERE id = $id::uuid RETURNING id`

export async function createUser({ email, name }: { email: string; name: string }, database: DatabaseService): Promise<User> {
  const id = randomUUID()
  const wasCommitted = async ({ query }: Work) => (await query(READ, { id })).length > 0
  const rows = await database.execute('user.create', ({ query }) => query<User>(CREATE, { id, email, name }), { wasCommitted })
  return found(rows)
}

export const listUsers = (database: DatabaseService) =>
  database.execute('user.list', ({ query }) => query<User>(READ, { id: null }), { mode: 'read' })

export async function readUser(id: string, database: DatabaseService): Promise<User> {
  return found(await database.execute('user.get', ({ query }) => query<User>(READ, { id }), { mode: 'read' }))
}

export async function deleteUser(id: string, database: DatabaseService): Promise<void> {
  found(await database.execute('user.delete', ({ query }) => query<User>(DELETE, { id })))
}

function found(rows: readonly User[]): User {
  const [user] = rows
  if (user === undefined) throw new NotFoundError('There is no such user.')
  return user
}
