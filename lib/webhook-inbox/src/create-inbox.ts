import { randomUUID } from 'node:crypto'
import type { ResilientSequelize } from '../../resilient-sequelize/src/class.ts'
import { runtimeOf } from '../../resilient-sequelize/src/runtime.ts'
import { CodedError } from '../../invocation/src/errors.ts'
import { openDeadline, type Deadline } from '../../invocation/src/deadline.ts'
import { runWithDeadline } from '../../invocation/src/deadline-scope.ts'
import { DatabaseService } from '../../functions-runtime/src/database/service.ts'
import { problem } from '../../functions-runtime/src/edge/reply.ts'
import { readSettings, SettingsError, type Environment, type Groups, type SettingsOf } from '../../functions-runtime/src/settings/settings.ts'
import { createCounters, type Count } from '../../functions-runtime/src/telemetry/counters.ts'
import { createLogger, withShownErrors, type Logger } from '../../functions-runtime/src/telemetry/logger.ts'
import { drainBuffer, type DrainReport } from './buffer/drain.ts'
import { createRedisBuffer } from './buffer/redis-buffer.ts'
import { checkOptions } from './check-options.ts'
import type { AlertReceiver } from './inbox/alert.ts'
import { attemptDue, type AttemptsReport } from './inbox/attempts.ts'
import type { WebhookHandler } from './define-handler.ts'
import { manageWebhooks, type Command } from './inbox/manage.ts'
import { receiveWebhook } from './inbox/receive.ts'
import { bufferSettings } from './settings/buffer.ts'
import { inboxSettings } from './settings/inbox.ts'
import { payloadSettings } from './settings/payload.ts'
import { explainMissingTables } from './tables-missing.ts'
import { requireSecrets } from './verify/required-secrets.ts'
import { defineSources, type SourceTable } from './verify/source-settings.ts'

export interface InboxOptions {
  /** Webhook sources by name. `secrets` is the name of the variable that holds the secrets of the source. */
  readonly sources: SourceTable
  /** The common handlers, one for each event type; see `handlers` of a source. Events of other types are stored with the outcome `ignored`. */
  readonly handlers: readonly WebhookHandler[]
  /** Secrets of the sources, PAYLOAD_KEY, REDIS_URL, REDIS_CA_CERT, BUFFER_DURABLE, BUFFER_MAX_BYTES, WEBHOOK_POISON. By default those of the process. */
  readonly environment?: Environment
  /** The schema of the inbox's tables. Default: `public`. */
  readonly schema?: string
  /** Default: JSON lines on standard output, level `info`. */
  readonly logger?: Logger
  /** Receives the alerts of handlers. Default: alerts are dropped. */
  readonly alerts?: AlertReceiver
}

/** The HTTP request of a delivery. */
export interface InboxRequest {
  /** Name of the source, a key of `sources`. */
  readonly source: string
  /** Header names in any case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** The raw bytes of the body, which the signature covers. */
  readonly body: Uint8Array
}

/** The HTTP response. */
export interface InboxAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** JSON. */
  readonly body: string
}

/** The result of one call of `runDue`. */
export interface InboxRound {
  readonly attempts: AttemptsReport
  /** The result of draining the outage buffer; null without one. */
  readonly buffer: DrainReport | null
}

export interface Within {
  /** Longest time, in ms. */
  readonly withinMs?: number
}

export interface Inbox {
  /**
   * Verifies, stores and applies a delivery, within 10 s by default. Resolves to the response for the sender. A 2xx response
   * means that the event is stored and is applied exactly once. Never rejects: errors become a problem document and a log line.
   */
  receive(request: InboxRequest, within?: Within): Promise<InboxAnswer>
  /**
   * Drains the outage buffer and retries events that are due, within 30 s by default. Call it once a minute. Concurrent calls
   * take different events.
   * @throws DatabaseUnavailableError and other CodedErrors when the database cannot be used; `tables-missing` before the migrations.
   */
  runDue(within?: Within): Promise<InboxRound>
  /**
   * Lists, shows, retries and parks events: `{ action: 'list', state: 'parked', limit: 20 }`, `{ action: 'show', id }`,
   * `{ action: 'retry', id }` with an id or `all`, `{ action: 'park', id }`. Within 30 s by default.
   * @throws ContentError for any other command; NotFoundError for an unknown id; CodedErrors of the database.
   */
  manage(command: Command, within?: Within): Promise<Record<string, unknown>>
  /** Returns the counts since the last call: events by source and outcome, and the counters of units of work. */
  counts(): readonly Count[]
}

const RECEIVE_MS = 10_000
const DUE_MS = 30_000
const REQUEST_ID = 'x-request-id'

/**
 * Creates an inbox on a ResilientSequelize instance. Opens no connection. `migrations` create its tables.
 * @throws SettingsError whose message names every variable that is missing or invalid; TypeError for an option, a source or a
 * handler of the wrong form, and for an instance of stock Sequelize.
 */
export function createInbox(sequelize: ResilientSequelize, options: InboxOptions): Inbox {
  checkOptions(options)
  const { executor } = runtimeOf(sequelize)
  const { handlers, schema = 'public', environment, alerts } = options
  // Errors are logged without SQL values and secrets.
  const logger = options.logger === undefined ? createLogger({ name: 'webhook-inbox', level: 'info' }) : withShownErrors(options.logger)
  const groups = {
    sources: requireSecrets(defineSources(options.sources, handlers), options.sources),
    keys: payloadSettings,
    buffer: bufferSettings,
    inbox: inboxSettings,
  }
  const { sources, keys, buffer: settings, inbox } = readEnvironment(groups, environment)
  for (const weak of sources.weakSecrets) logger.warn({ event: 'webhook.secret.weak', ...weak })
  const counters = createCounters()
  const service = new DatabaseService({ executor, counters, schema, loaded: () => ({ sequelize, models: undefined }) })
  const database: Pick<DatabaseService, 'execute' | 'hasReported'> = {
    // Acknowledged events must survive a server crash, whatever `synchronous_commit` the application uses.
    execute: (name, work, unit) => service.execute(name, work, { durable: true, ...unit }),
    hasReported: error => service.hasReported(error),
  }
  const tools = { database, keys, sources, counters, alerts }
  const buffer = settings === undefined ? undefined : createRedisBuffer(settings, keys)
  const explained = <Result>(withinMs: number, work: (deadline: Deadline) => Promise<Result>) =>
    within(withinMs, work).catch((error: unknown) => {
      throw explainMissingTables(error, schema)
    })

  return {
    async receive(request, options) {
      const requestId = randomUUID()
      const line = logger.child({ requestId })
      try {
        const { source, headers, body } = request
        const delivery = { source, headers: lowerCased(headers), body: bytesOf(body) }
        const answer = await within(options?.withinMs ?? RECEIVE_MS, deadline =>
          receiveWebhook(delivery, { ...tools, ...inbox, buffer, deadline, logger: line }),
        )
        return { status: answer.status, headers: { 'content-type': 'application/json', [REQUEST_ID]: requestId }, body: JSON.stringify(answer.body) }
      } catch (error) {
        // The cure is for the log alone: the sender gets the general message.
        if (!(error instanceof CodedError)) line.error({ event: 'webhook.failed', error: explainMissingTables(error, schema) })
        else if (error.cause !== undefined) line.warn({ event: 'webhook.refused', code: error.code, error: error.cause })
        const { statusCode, headers: told = {}, body: text } = problem(error, requestId)
        return { status: statusCode, headers: { ...told, [REQUEST_ID]: requestId }, body: JSON.stringify(text) }
      }
    },
    runDue: ({ withinMs = DUE_MS } = {}) =>
      explained(withinMs, async deadline => {
        const drained = settings === undefined ? null : await drainBuffer({ ...tools, settings, deadline, logger })
        return { buffer: drained, attempts: await attemptDue({ ...tools, deadline, logger }) }
      }),
    manage: (command, { withinMs = DUE_MS } = {}) =>
      explained(withinMs, deadline => manageWebhooks(command, { database, keys, buffer: settings, sources, deadline })),
    counts: () => counters.take(),
  }
}

/** @throws SettingsError whose message names every variable and what is wrong with it. */
function readEnvironment<G extends Groups>(groups: G, environment: Environment | undefined): SettingsOf<G> {
  try {
    return readSettings(groups, environment)
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    const told = error.issues.map(({ variable, reason }) => `${variable} ${reason}`)
    throw new SettingsError(error.issues, `The inbox cannot be created. ${told.join('. ')}.`)
  }
}

async function within<Result>(remainingMs: number, work: (deadline: Deadline) => Promise<Result>): Promise<Result> {
  const deadline = openDeadline({ remainingMs, reserveMs: 0 })
  try {
    return await runWithDeadline(deadline, () => work(deadline))
  } finally {
    deadline.clear()
  }
}

function lowerCased(headers: InboxRequest['headers']): Record<string, string> {
  const flat = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name.toLowerCase(), typeof value === 'string' ? value : value.join(', ')] as const],
  )
  return Object.fromEntries(flat)
}

/** @throws TypeError for a body that a parser has already read: its signature cannot be verified. */
function bytesOf(body: unknown): Buffer {
  if (!(body instanceof Uint8Array)) throw new TypeError('The body is no Buffer or Uint8Array. A body parser has read it before: pass the raw bytes.')
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength)
}
