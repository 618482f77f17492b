/** The platform's own limits, the same for every function. */

/** Largest input and largest result, in bytes of JSON. */
export const LARGEST_PAYLOAD = 1_048_576

/** After this long a web call that is still running is answered 202; the function runs on. */
export const LONGEST_WEB_WAIT_MS = 30_000
