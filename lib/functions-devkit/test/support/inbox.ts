import { application } from '../../src/application.ts'
import { openDeadline, type Deadline } from '../../../invocation/src/deadline.ts'
import { createLogger } from '../../../functions-runtime/src/telemetry/logger.ts'
import { maintain, type MaintenanceReport } from '../../../functions-ops/src/maintenance/maintenance.ts'
import { attemptDue, type AttemptsReport } from '../../../webhook-inbox/src/inbox/attempts.ts'
import { drainBuffer, type DrainReport } from '../../../webhook-inbox/src/buffer/drain.ts'
import { createRedisBuffer } from '../../../webhook-inbox/src/buffer/redis-buffer.ts'
import type { WebhookHandler } from '../../../webhook-inbox/src/inbox/handler.ts'
import { manageWebhooks, type Command } from '../../../webhook-inbox/src/inbox/manage.ts'
import { readDelivery } from '../../../webhook-inbox/src/inbox/delivery.ts'
import { receiveWebhook } from '../../../webhook-inbox/src/inbox/receive.ts'
import { sourceOf, type SourceDefinition } from '../../../webhook-inbox/src/verify/source.ts'
import { defineSources, describeSources } from '../../../webhook-inbox/src/verify/source-settings.ts'
import { signDelivery } from '../../src/server/sign-delivery.ts'
import { webhookSecret } from './functions.ts'
import { tables } from './maintenance.ts'
import type { RedisServer } from './redis.ts'
import { withService, type ServiceUnderTest } from './service.ts'

const keys = { current: undefined, byId: new Map() }

/** What a sender of a test changes of its delivery. */
export interface Sent {
  readonly id?: string
  readonly source?: 'standard' | 'partner'
  readonly headers?: Readonly<Record<string, string>>
  readonly remainingMs?: number
}

/** The inbox with handlers of a test, on a database of its own. */
export interface Inbox extends ServiceUnderTest {
  /** Sends a signed delivery; gives status and body, or status and code of the refusal. */
  send(body: string | object, sent?: Sent): Promise<{ status: number; body: Record<string, unknown> }>
  /** Has later attempts made of what is due, with these common handlers in place of the first ones. */
  attempt(handlers?: readonly WebhookHandler[]): Promise<AttemptsReport>
  drain(handlers?: readonly WebhookHandler[]): Promise<DrainReport>
  /** Puts an event into the outage buffer, as a delivery does while the database is away. */
  buffer(body: string | object, sent?: Pick<Sent, 'id'>): Promise<void>
  /** Runs all of maintenance. */
  maintain(): Promise<MaintenanceReport>
  manage(command: Command): Promise<Record<string, unknown>>
  /** Makes everything that is pending due. */
  allDue(): Promise<void>
  /** Shuts the database off for the service, until the work is done. */
  away(work: () => Promise<void>): Promise<void>
  rows(): Promise<Record<string, unknown>[]>
}

export interface InboxOptions {
  /** The common handlers. */
  readonly handlers: readonly WebhookHandler[]
  /** The own handlers of the source `standard`. */
  readonly own?: Pick<SourceDefinition, 'handlers' | 'commonHandlers'>
  readonly poisonStatus?: 200 | 500
  readonly redis?: RedisServer | undefined
  /** Of the source `standard`. */
  readonly concerns?: SourceDefinition['concerns']
}

/** Runs a test with an inbox. Its sources are `standard`, with the id in a header, and `partner`, with the id in the body. */
export async function withInbox(
  { handlers, own = {}, poisonStatus = 200, redis, concerns }: InboxOptions,
  work: (inbox: Inbox) => Promise<void>,
): Promise<void> {
  await withService(async subject => {
    const { service, database, proxy, lines } = subject
    const logger = createLogger({ name: 'test', level: 'debug', destination: { write: text => void lines.push(JSON.parse(text) as never) } })
    const settings = redis === undefined ? undefined : ({ url: redis.url, ca: undefined, durable: 'proven', maxBytes: 10_000_000 } as const)
    const within = async <Result>(remainingMs: number, run: (deadline: Deadline) => Promise<Result>) => {
      const deadline = openDeadline({ remainingMs, reserveMs: 0 })
      return run(deadline).finally(() => deadline.clear())
    }
    const table = tableOf({ ...own, ...(concerns === undefined ? {} : { concerns }) })
    const bound = bindSources(table, handlers)
    // Without secrets, as maintenance reads them.
    const sourcesOf = (given: readonly WebhookHandler[]) => describeSources(table, given)
    const common = { database: service, keys, logger, counters: service.counters }
    await work({
      ...subject,
      async send(given, { id = 'evt_1', source = 'standard', headers = {}, remainingMs = 8_000 } = {}) {
        const body = Buffer.from(typeof given === 'string' ? given : JSON.stringify(given))
        const signed = signDelivery(table[source], { id, body, sentAt: Date.now(), secret: webhookSecret })
        const request = { source, body, headers: { 'content-type': 'application/json', ...signed, ...headers } }
        const buffer = settings && createRedisBuffer(settings, keys)
        try {
          const options = { ...common, sources: bound, buffer, poisonStatus }
          return await within(remainingMs, deadline => receiveWebhook(request, { ...options, deadline }))
        } catch (error) {
          const { status, code, message } = error as { status?: number; code?: string; message: string }
          if (status === undefined) throw error
          return { status, body: { code, message } }
        }
      },
      attempt: (mended = handlers) => within(20_000, deadline => attemptDue({ ...common, deadline, sources: sourcesOf(mended) })),
      async drain(mended = handlers) {
        if (settings === undefined) throw new Error('this inbox has no buffer')
        return within(20_000, deadline => drainBuffer({ ...common, settings, deadline, sources: sourcesOf(mended) }))
      },
      async buffer(given, { id = 'evt_1' } = {}) {
        if (settings === undefined) throw new Error('this inbox has no buffer')
        const body = Buffer.from(typeof given === 'string' ? given : JSON.stringify(given))
        const headers = { 'content-type': 'application/json', 'webhook-id': id }
        const source = sourceOf('standard', sourcesOf(handlers))
        const delivery = readDelivery({ source: 'standard', body, headers, verdict: 'standard', receivedAt: new Date() }, source)
        await within(20_000, deadline => createRedisBuffer(settings, keys).put(delivery, { applied: false, deadline }))
      },
      maintain: () =>
        within(20_000, deadline =>
          maintain({ ...common, tables, erasers: application.erasers, buffer: settings, deadline, sources: sourcesOf(handlers) }),
        ),
      manage: command => within(20_000, deadline => manageWebhooks(command, { ...common, buffer: settings, deadline, sources: sourcesOf(handlers) })),
      async allDue() {
        await database.query('UPDATE webhook_events SET next_attempt_at = now() WHERE outcome IS NULL')
      },
      async away(outage) {
        await proxy.refuse('unreachable')
        proxy.cutAll('reset')
        await outage().finally(() => proxy.accept())
      },
      rows: () =>
        database.query(
          `SELECT external_id AS id, type, outcome, attempts, last_error AS error, invalid_paths AS paths, concerns, body IS NOT NULL AS body,
             next_attempt_at IS NOT NULL AS due, processed_at IS NOT NULL AS processed FROM webhook_events ORDER BY 1`,
        ),
    })
  })
}

function tableOf(standard: Pick<SourceDefinition, 'handlers' | 'commonHandlers' | 'concerns'>) {
  return {
    standard: { scheme: 'standard', secrets: 'SECRET', ...standard },
    partner: {
      scheme: 'hmac',
      secrets: 'SECRET',
      signature: { header: 'x-signature', algorithm: 'sha256', encoding: 'hex' },
      eventId: { pointer: '/id' },
      type: { pointer: '/type' },
      data: '/data',
    },
  } as const satisfies Record<string, SourceDefinition>
}

function bindSources(table: Readonly<Record<string, SourceDefinition>>, handlers: readonly WebhookHandler[]) {
  const { value } = defineSources(table, handlers).parse({ SECRET: webhookSecret })
  if (value === undefined) throw new Error('the sources of the test are wrong')
  return value
}
