import { checksumOf, invalidCursor } from '../content/page.ts'

/** A place in a list: right behind this row. */
export interface Place {
  /** In µs since 1970; undefined in a list by id, and for a row without a time. */
  readonly at: string | undefined
  readonly id: string
}

const CURSOR = /^(-?\d{1,19})?\.([\w-]{1,4000})\.([\w-]{11})$/
// PostgreSQL's earliest time, in 4713 BC, and one before its latest, in the year 294246: others are an error of the statement.
const EARLIEST = -210_866_803_200_000_000n
const LATEST = 9_223_371_331_200_000_000n

/** Writes a place as a cursor of a list. */
export function writePlace({ at = '', id }: Place, list: readonly string[]): string {
  const place = `${at}.${Buffer.from(id).toString('base64url')}`
  return `${place}.${checksumOf(place, list)}`
}

/**
 * Reads a cursor of a list, whose ids `fits` knows.
 * @throws BadRequestError `cursor-invalid`
 */
export function readPlace(cursor: string | undefined, list: readonly string[], fits: (id: string) => boolean): Place | undefined {
  if (cursor === undefined) return undefined
  const [, at, encoded = '', sum] = CURSOR.exec(cursor) ?? []
  const id = Buffer.from(encoded, 'base64url').toString()
  // The check sum is no secret: what the database cannot read must not reach it.
  if (sum === undefined || sum !== checksumOf(`${at ?? ''}.${encoded}`, list) || !fits(id) || !isTime(at)) throw invalidCursor()
  return { at, id }
}

function isTime(at: string | undefined): boolean {
  return at === undefined || (BigInt(at) >= EARLIEST && BigInt(at) <= LATEST)
}
