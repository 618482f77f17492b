import { expect, it } from 'vitest'
import * as z from 'zod/mini'
import type { DatabaseService, Work } from '../../functions-runtime/src/database/service.ts'
import type { Statement } from '../../functions-runtime/src/database/sql.ts'
import { ApplicationError } from '../../functions-runtime/src/edge/http-errors.ts'
import { DeadlineExceededError } from '../../invocation/src/errors.ts'
import { openDeadline } from '../../invocation/src/deadline.ts'
import { createLogger } from '../../functions-runtime/src/telemetry/logger.ts'
import type { ReadDelivery } from '../src/inbox/delivery.ts'
import { defineHandler } from '../src/inbox/handler.ts'
import { takeDelivery } from '../src/inbox/take.ts'

const failing = defineHandler({
  type: 't',
  schema: z.unknown(),
  needsDatabase: true,
  async apply() {
    throw new ApplicationError('Not yet.', { code: 'not-yet', status: 409, retryable: true })
  },
})
const delivery: ReadDelivery = {
  source: 'demo',
  body: Buffer.from('{}'),
  headers: {},
  verdict: 'standard',
  receivedAt: new Date('2026-11-24T12:00:00Z'),
  event: { source: 'demo', id: '1', type: 't', occurredAt: '2026-11-24T12:00:00Z', order: '', data: undefined },
  isDated: true,
  handler: failing,
  concerns: null,
  guarded: false,
  bodyVaries: false,
}

it('defers what its handler could not do, also when the time ends while the claim is made anew', async () => {
  const done: string[] = []
  // Every claim but the first is cut off by the time.
  const query = async (statement: Statement) => {
    if (done.filter(name => name === 'webhook.apply').length > 1 && done.at(-1) === 'webhook.apply') throw new DeadlineExceededError()
    return statement('public').includes('INSERT') ? [{ receivedAt: new Date('2026-11-24T12:00:00Z') }] : []
  }
  const execute = async (name: string, work: (work: Work) => Promise<unknown>) => {
    done.push(name)
    return work({ query } as unknown as Work)
  }
  const deadline = openDeadline({ remainingMs: 10_000, reserveMs: 0 })
  const taken = await takeDelivery(delivery, {
    database: { execute: execute as DatabaseService['execute'], hasReported: error => error instanceof DeadlineExceededError },
    keys: { current: undefined, byId: new Map() },
    logger: createLogger({ name: 'test', level: 'silent' }),
    deadline,
  })
  deadline.clear()
  expect(done).toEqual(['webhook.apply', 'webhook.apply', 'webhook.store'])
  expect(taken).toEqual({ outcome: 'deferred', code: 'not-yet' })
})
