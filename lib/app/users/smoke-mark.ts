/**
 * What the external id of a user begins with that was made to try a deployment. Such a user is erased at once, and the
 * tombstone needs to keep nobody from coming back: maintenance deletes it.
 */
export const SMOKE_MARK = 'smoke-test:'
