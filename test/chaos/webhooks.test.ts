import { expect, it } from 'vitest'
import { hasRedis } from '../../lib/functions-devkit/test/support/redis.ts'
import type { Maker } from '../../lib/functions-devkit/test/support/storm/deliveries.ts'
import { LONGEST_MS, torture } from '../../lib/functions-devkit/test/support/storm/torture.ts'
import { REPOSITORY } from '../../lib/functions-devkit/test/support/tested-application.ts'

const user = (id: string) => ({ userId: id, email: `${id}@example.com`, name: id })
const money = (id: string) => ({ transactionId: id, userId: `payer_${id}`, amount: '12.50', currency: 'EUR' })
const makers: readonly Maker[] = [
  id => ({ kind: 'database', effect: id, type: 'transaction.completed', data: money(id) }),
  id => ({ kind: 'database', effect: id, type: 'user.created', data: user(id) }),
  id => ({ kind: 'database', effect: id, type: 'transaction.failed', data: money(id) }),
  id => ({ kind: 'database', effect: null, type: 'smoke.ping', data: { id } }),
  id => ({ kind: 'database', effect: id, type: 'transaction.refunded', data: money(id) }),
  id => ({ kind: 'database', effect: id, type: 'user.updated', data: user(id) }),
  id => ({ kind: 'bare', effect: null, type: 'alert.raised', data: { code: id, severity: 'info' } }),
  id => ({ kind: 'database', effect: null, type: 'weather.changed', data: { id } }),
]
const storm = { makers, root: REPOSITORY, what: 'events of the sample' }

it.concurrent(
  'without a buffer: every event that was answered with 2xx has exactly one effect, and no other has any',
  async () => {
    expect(await torture({ ...storm, buffered: false })).toContain('503 database-unavailable')
  },
  LONGEST_MS,
)

it.skipIf(!hasRedis()).concurrent(
  'with a buffer: every event that was answered with 2xx has exactly one effect, and no other has any',
  async () => {
    expect(await torture({ ...storm, buffered: true })).toContain('202 buffered')
  },
  LONGEST_MS,
)
