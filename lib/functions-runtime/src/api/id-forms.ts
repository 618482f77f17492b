import { isStorable } from '../content/storable-text.ts'

const isUuid = (id: string) => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)
const isInteger = (bits: number) => (id: string) => /^-?\d{1,19}$/.test(id) && BigInt.asIntN(bits, BigInt(id)) === BigInt(id)

/** What ids look like to the database, by Sequelize's key of the type; PostgreSQL refuses any other text. */
export const ID_FORMS: Readonly<Record<string, (id: string) => boolean>> = {
  UUID: isUuid,
  SMALLINT: isInteger(16),
  INTEGER: isInteger(32),
  BIGINT: isInteger(64),
  STRING: isStorable,
  TEXT: isStorable,
}
