import * as z from 'zod/mini'

// PostgreSQL and JavaScript disagree at the edges of the calendar; nothing happens there.
const FIRST_AT = Date.UTC(1970, 0, 1)
const LAST_AT = Date.UTC(10_000, 0, 1) - 1

/** An instant as RFC 3339 writes it, read into ISO 8601 in UTC, to the millisecond. */
export const instantSchema = z.pipe(
  z.iso.datetime({ offset: true, abort: true }).check(
    z.refine(text => {
      const at = Date.parse(text)
      return at >= FIRST_AT && at <= LAST_AT
    }, 'Expected an instant from 1970 to 9999'),
  ),
  z.transform((text: string) => new Date(text).toISOString()),
)

/** An instant as answers have it. */
export const shownInstantSchema = z.iso.datetime()
