import { createHash } from 'node:crypto'
import * as z from 'zod/mini'
import { BadRequestError } from '../edge/http-errors.ts'

const DEFAULT_LIMIT = 20
const MOST = 100

/** How many rows of a list are asked for; a number written in decimal digits. */
export const limitSchema = z._default(
  z.pipe(
    z.string().check(z.regex(/^(?:[1-9]\d?|100)$/, `Expected a whole number from 1 to ${MOST}`)),
    z.transform((text: string) => Number(text)),
  ),
  DEFAULT_LIMIT,
)

/** What every list can be asked. */
export const pageQuery = { limit: limitSchema, cursor: z.optional(z.string()) }

/** Returns the schema of a page, for the contract. */
export function pageSchema<Schema extends z.ZodMiniType>(item: Schema) {
  return z.strictObject({ items: z.array(item), next: z.nullable(z.string()) })
}

/** A place in a list that runs from the newest row to the oldest: right behind this row. */
export interface Place {
  /** When the row was created, in µs since 1970: what the database counts in. */
  readonly at: string
  readonly id: string
}

/** A part of a list. */
export interface Page<Item> {
  readonly items: readonly Item[]
  /** Where the next part begins; null at the end. */
  readonly next: string | null
}

/** What a list is of: a cursor is good for no other. */
export type ListOf = readonly (string | undefined)[]

const CURSOR = /^(-?[0-9a-z]{1,11})\.([0-9a-f]{32})\.([\w-]{11})$/

/** Writes a place as callers see it. */
export function writeCursor({ at, id }: Place, list: ListOf): string {
  const place = `${BigInt(at).toString(36)}.${id.replaceAll('-', '')}`
  return `${place}.${checksumOf(place, list)}`
}

/**
 * Reads a cursor back. The check sum is no secret; it tells a slip or a guess from what this API gave out for this list.
 * @throws BadRequestError
 */
export function readCursor(cursor: string | undefined, list: ListOf): Place | undefined {
  if (cursor === undefined) return undefined
  const [, at = '', id = '', sum] = CURSOR.exec(cursor) ?? []
  if (sum === undefined || sum !== checksumOf(`${at}.${id}`, list)) {
    throw invalidCursor()
  }
  return { at: String(Number.parseInt(at, 36)), id: id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') }
}

/** The column that a row of a list needs for `pageOf` beside its id, in SQL. */
export const PLACE = '(extract(epoch FROM created_at) * 1000000)::bigint::text AS at'

/** Condition for rows behind the place in `$at` and `$id`, in SQL; all of them when these are null. */
export const BEHIND_PLACE = "($at::bigint IS NULL OR (created_at, id) < (timestamptz 'epoch' + $at::bigint * interval '1 microsecond', $id::uuid))"

/** Values for `BEHIND_PLACE`. */
export function bindPlace(place: Place | undefined): { at: string | null; id: string | null } {
  return { at: place?.at ?? null, id: place?.id ?? null }
}

/** Makes a page of rows, of which one more than `limit` was read. */
export function pageOf<Row extends Place, Item>(
  rows: readonly Row[],
  { limit, list, view }: { limit: number; list: ListOf; view: (row: Row) => Item },
): Page<Item> {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return { items: shown.map(view), next: rows.length > limit && last ? writeCursor(last, list) : null }
}

/** Returns the error for a cursor that was not given out for a list. */
export function invalidCursor(): BadRequestError {
  return new BadRequestError('cursor-invalid', 'This cursor was not given out for this list.')
}

/** Returns what ties a place to a list. */
export function checksumOf(place: string, list: ListOf): string {
  const text = JSON.stringify([place, ...list.map(part => part ?? null)])
  return createHash('sha256').update(text).digest('base64url').slice(0, 11)
}
