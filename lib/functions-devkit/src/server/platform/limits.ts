import { LARGEST_RESULT_BYTES } from '../../../../functions-runtime/src/edge/answer.ts'

/** The platform's own limits, the same for every function. */

/** Largest input and largest result, in bytes of JSON. */
export const LARGEST_PAYLOAD = LARGEST_RESULT_BYTES

/** After this long a web call that is still running is answered 202; the function runs on. */
export const LONGEST_WEB_WAIT_MS = 30_000
