import { integer, oneOf, optionalText } from '../../../functions-runtime/src/settings/schemas.ts'
import { defineSettings } from '../../../functions-runtime/src/settings/settings.ts'

/** What a client may ask of the HTTP server; times in ms. */
export interface HttpLimits {
  /** For so long a client may take for the headers of a request, the first one included. */
  readonly headersMs: number
  /** For so long it may take for the whole request. */
  readonly requestMs: number
  /** For so long a connection without a request is kept. */
  readonly keepAliveMs: number
  /** Connections at once; whoever comes on top is hung up on. */
  readonly maxConnections: number
  readonly maxHeaderBytes: number
}

/** What only the long-lived host reads; times in ms. */
export interface HostSettings {
  readonly port: number
  readonly http: HttpLimits
  /** Whether the schedules of project.yml fire in this process. */
  readonly runSchedules: boolean
  /** For so long after the signal to end requests are taken still, while readiness says fail. */
  readonly graceMs: number
  /** For so long after that requests under way may take. */
  readonly requestsMs: number
  /** Gets the lines of the log, beside standard output. */
  readonly logFile: string | undefined
}

/** How the functions are served by one long-lived process. No function reads these. */
export const hostSettings = defineSettings(
  {
    PORT: integer({ min: 0, max: 65_535, fallback: 8080 }),
    SCHEDULES: oneOf(['on', 'off'], 'on'),
    SHUTDOWN_GRACE_MS: integer({ min: 0, max: 300_000, fallback: 5_000 }),
    SHUTDOWN_REQUESTS_MS: integer({ min: 100, max: 300_000, fallback: 15_000 }),
    HTTP_HEADERS_MS: integer({ min: 100, max: 600_000, fallback: 10_000 }),
    HTTP_REQUEST_MS: integer({ min: 100, max: 600_000, fallback: 30_000 }),
    // Longer than the 60 s after which load balancers let go of theirs: who lets go first must not be the one who is sent to.
    HTTP_KEEP_ALIVE_MS: integer({ min: 0, max: 3_600_000, fallback: 75_000 }),
    HTTP_MAX_CONNECTIONS: integer({ min: 1, max: 65_535, fallback: 1_000 }),
    HTTP_MAX_HEADER_BYTES: integer({ min: 1_024, max: 1_048_576, fallback: 16_384 }),
    LOG_FILE: optionalText(),
  },
  (values): HostSettings =>
    Object.freeze({
      port: values.PORT,
      http: Object.freeze({
        headersMs: values.HTTP_HEADERS_MS,
        requestMs: values.HTTP_REQUEST_MS,
        keepAliveMs: values.HTTP_KEEP_ALIVE_MS,
        maxConnections: values.HTTP_MAX_CONNECTIONS,
        maxHeaderBytes: values.HTTP_MAX_HEADER_BYTES,
      }),
      runSchedules: values.SCHEDULES === 'on',
      graceMs: values.SHUTDOWN_GRACE_MS,
      requestsMs: values.SHUTDOWN_REQUESTS_MS,
      logFile: values.LOG_FILE,
    }),
)
