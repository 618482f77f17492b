/**
 * The place of an event in a total order that does not depend on arrival: by instant, then by the bytes of its id, then by
 * source. A text to compare byte by byte, as PostgreSQL's collation "C" does. A source has no line break in its name, and an
 * instant always has the same length, so that two events never have the same place.
 */
export function orderOf({ occurredAt, id, source }: { occurredAt: string; id: string; source: string }): string {
  return `${occurredAt}\n${id}\n${source}`
}
