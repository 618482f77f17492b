import { UnsupportedServerError } from '../errors/errors.ts'

/** The oldest PostgreSQL that is supported, as `server_version_num` writes it. */
export const LEAST_POSTGRES = 140_000
const LEAST_MAJOR = Math.floor(LEAST_POSTGRES / 10_000)
/** The only encoding that holds every text that JavaScript can send. */
export const ENCODING = 'UTF8'

/** What a server announces at log-in, by the names of its settings; a pooler hands it on. */
export type Announced = Readonly<Record<string, string | undefined>>

/** What a person is told of a server that takes no writes. */
export const READ_ONLY =
  'The server takes no writes: it is a standby, or default_transaction_read_only is on for it, for the database or for the role.'

/**
 * Refuses a server on which the promises cannot hold. A standby is not refused: in a failover it is promoted soon.
 * @throws UnsupportedServerError with the cure in its message
 */
export function refuseUnsupported({ server_encoding: encoding, server_version: version }: Announced): void {
  const major = Number.parseInt(version ?? '', 10)
  if (major < LEAST_MAJOR) throw new UnsupportedServerError(`PostgreSQL ${major} is too old: upgrade the server to ${LEAST_MAJOR} or later.`)
  if (encoding !== undefined && encoding !== ENCODING) throw new UnsupportedServerError(`${encodingProblem(encoding)} ${ENCODING_CURE}`)
}

/** Whether a server has announced that it takes no writes. */
export function isReadOnly({ in_hot_standby: standby, default_transaction_read_only: readOnly }: Announced): boolean {
  return standby === 'on' || readOnly === 'on'
}

export const ENCODING_CURE = "Create a database with ENCODING 'UTF8' and TEMPLATE template0, and copy the rows into it."

export function encodingProblem(encoding: string): string {
  return `The encoding of the database is ${encoding}, which cannot hold every text; it has to be ${ENCODING}.`
}
