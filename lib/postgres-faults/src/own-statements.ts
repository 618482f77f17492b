/** Matches the statement with which a unit of work keeps a savepoint; not the one with which it rolls back to it. */
export const SAVEPOINT_RELEASE = /^(?!ROLLBACK)[^]*RELEASE SAVEPOINT/
