import type { TestDatabase } from '../../lib/functions-devkit/test/support/database.ts'
import type { RedisServer } from '../../lib/functions-devkit/test/support/redis.ts'

interface Place {
  readonly place: string
  readonly content: string
}

/**
 * Searches every column of every table, and every key of Redis, for texts, also inside of bytes. Gives the places, such as
 * `webhook_events.body`. The external id of an erased user stays by design, so `users.external_id` is left out.
 */
export async function residueOf(texts: readonly string[], { database, redis }: { database: TestDatabase; redis?: RedisServer }): Promise<string[]> {
  const places = [...(await columns(database)), ...(redis === undefined ? [] : await keys(redis))]
  const needles = texts.flatMap(text => [text, Buffer.from(text).toString('hex'), Buffer.from(text).toString('base64').replace(/=+$/, '')])
  const found = places.filter(({ content }) => needles.some(needle => content.includes(needle)))
  return [...new Set(found.map(({ place }) => place))].filter(place => place !== 'users.external_id')
}

async function columns(database: TestDatabase): Promise<Place[]> {
  const all = await database.query<{ table: string; column: string }>(
    `SELECT table_name AS table, column_name AS column FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
     WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2`,
  )
  const places: Place[] = []
  for (const { table, column } of all) {
    const rows = await database.query<{ content: string }>(`SELECT "${column}"::text AS content FROM "${table}" WHERE "${column}" IS NOT NULL`)
    places.push(...rows.map(({ content }) => ({ place: `${table}.${column}`, content })))
  }
  return places
}

async function keys(redis: RedisServer): Promise<Place[]> {
  const places: Place[] = []
  for (const key of await redis.command<string[]>('KEYS', '*')) {
    const type = await redis.command<string>('TYPE', key)
    const read = type === 'stream' ? ['XRANGE', key, '-', '+'] : type === 'string' ? ['GET', key] : undefined
    if (read === undefined) throw new Error(`the test cannot read a key of the type ${type}`)
    places.push({ place: key, content: `${key} ${JSON.stringify(await redis.command(...read))}` })
  }
  return places
}
