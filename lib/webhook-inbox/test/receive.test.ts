import { expect, it } from 'vitest'
import type { ExecuteOptions } from '../../functions-runtime/src/database/service.ts'
import { DatabaseUnavailableError } from '../../resilient-sequelize/src/errors/errors.ts'
import { openDeadline } from '../../invocation/src/deadline.ts'
import { createCounters } from '../../functions-runtime/src/telemetry/counters.ts'
import { createLogger } from '../../functions-runtime/src/telemetry/logger.ts'
import { receiveWebhook } from '../src/inbox/receive.ts'
import type { Source } from '../src/verify/source.ts'

const source: Source = {
  name: 'hasty',
  scheme: 'hmac',
  eventId: { header: 'x-id' },
  type: { pointer: '/type' },
  data: '',
  handlers: new Map(),
  answerWithinMs: 4_000,
  replayGuard: undefined,
  bodyVaries: false,
  verify: () => undefined,
}
const request = { source: 'hasty', headers: { 'x-id': '1', 'content-type': 'application/json' }, body: Buffer.from('{"type":"t"}') }

/** Receives with a database that is away; gives how much time its work was granted, in ms. */
async function grantedMs({ leftMs, buffered }: { leftMs: number; buffered: boolean }): Promise<number> {
  let granted = Number.NaN
  const execute = async (_name: string, _work: unknown, { deadline }: ExecuteOptions = {}) => {
    granted = deadline?.remainingMs() ?? Number.NaN
    throw new DatabaseUnavailableError({ retryAfterMs: 1 })
  }
  const deadline = openDeadline({ remainingMs: leftMs, reserveMs: 0, now: () => 0 })
  const received = receiveWebhook(request, {
    sources: new Map([['hasty', source]]),
    database: { execute, hasReported: () => true },
    keys: { current: undefined, byId: new Map() },
    buffer: buffered ? { put: async () => undefined } : undefined,
    poisonStatus: 200,
    counters: createCounters(),
    logger: createLogger({ name: 'test', level: 'silent' }),
    deadline,
  })
  await received.catch(() => undefined)
  deadline.clear()
  return granted
}

it('grants the database no more than the sender waits for, less what storing and buffering need', async () => {
  expect(await grantedMs({ leftMs: 20_000, buffered: false })).toBeLessThanOrEqual(3_000)
  expect(await grantedMs({ leftMs: 20_000, buffered: true })).toBeLessThanOrEqual(2_100)
})

it('grants it no more than the invocation has', async () => {
  expect(await grantedMs({ leftMs: 1_000, buffered: false })).toBeLessThanOrEqual(750)
})
