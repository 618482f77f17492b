/** A managed database admits only its trusted sources. */
export const TRUSTED = 'the database’s trusted sources must admit functions, which have no fixed address'
