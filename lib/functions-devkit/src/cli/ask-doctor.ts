/** Follows an error of a command that cannot use the database. */
export const ASK_DOCTOR = 'npm run doctor names the reason and the cure'
