// NAMEDATALEN - 1. PostgreSQL cuts longer names off, so that two of them may be the same schema.
const LONGEST_BYTES = 63

/**
 * Returns why PostgreSQL has no schema of this name for tables, as words that follow the name of the option; `undefined` for a
 * name that can be used. Statements quote it, so any other character is allowed.
 */
export function refusalOfSchemaName(name: unknown): string | undefined {
  if (typeof name !== 'string' || name === '') return 'has to be the name of a schema, as text that is not empty'
  if (name.includes('\0')) return 'holds NUL, which PostgreSQL takes in no name'
  if (Buffer.byteLength(name) > LONGEST_BYTES) return `is longer than ${LONGEST_BYTES} bytes, which PostgreSQL takes in no name`
  return /^(pg_|information_schema$)/.test(name) ? 'is a schema that belongs to PostgreSQL: name another one' : undefined
}
