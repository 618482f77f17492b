import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import { createActivityRecorders } from '../../lib/app/activity/record.ts'
import { createClaim } from '../../lib/functions-runtime/src/api/claim.ts'
import { CHAOS_TIMES } from '../../lib/postgres-faults/src/matrix/times.ts'
import { createTransaction } from '../../lib/app/transactions/create.ts'
import { createUser } from '../../lib/app/users/create.ts'
import { eraseUser } from '../../lib/app/users/erase.ts'
import { defineHandler, later } from '../../lib/webhook-inbox/src/inbox/handler.ts'
import { withInbox, type Inbox } from '../../lib/functions-devkit/test/support/inbox.ts'
import { hasRedis, startRedis, type RedisServer } from '../../lib/functions-devkit/test/support/redis.ts'
import { residueOf } from '../support/residue.ts'

const ROUNDS = CHAOS_TIMES > 1 ? 40 : 2
const person = z.object({ user: z.string(), text: z.string() })
const handler = (type: string, apply: () => Promise<void>) =>
  defineHandler({ type, schema: person, needsDatabase: true, concerns: ({ user }) => user, apply })
const handlers = [
  handler('applied', async () => {}),
  handler('deferred', async () => {
    throw later('not-yet')
  }),
  handler('put-off', async () => {
    throw later('next-month', { afterMs: 30 * 24 * 3_600_000 })
  }),
  handler('parked', async () => {
    throw new Error('no')
  }),
]
const concerns = ({ data }: { data: unknown }) => (data as { user?: string } | undefined)?.user

interface Person {
  readonly id: string
  readonly externalId: string
  readonly name: string
  readonly email: string
}

describe.skipIf(!hasRedis())('after an erasure and one run of maintenance', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.stop())

  it(
    'nothing of the person is left, whatever state the events were in',
    async () => {
      await withInbox({ handlers, redis, concerns }, async inbox => {
        for (let round = 0; round < ROUNDS; round += 1) expect(await residueOfRace(inbox, redis, round)).toEqual([])
      })
    },
    30_000 + ROUNDS * 20_000,
  )
})

/** Erases a person among all that can happen at the same time, and gives the places that still name the person. */
async function residueOfRace(inbox: Inbox, redis: RedisServer, round: number): Promise<string[]> {
  const { service, database } = inbox
  const activity = createActivityRecorders(service)({ ip: '192.0.2.1', userAgent: `agent-${randomUUID()}` })
  const mark = randomUUID()
  const [externalId, name, email] = [`usr_${mark}`, `Name ${mark}`, `mail-${mark}@example.com`]
  const claim = () => createClaim({ caller: 'test', key: randomUUID(), request: [email] })
  const { id } = await createUser({ name, email, externalId }, { claim: claim(), activity, database: service })
  const subject: Person = { id, externalId, name, email }
  const event = (type: string, user: unknown = externalId) => ({ type, data: { user, text: `${name} ${email}` } })
  const idOf = (state: string) => `evt_${round}_${state}`
  const send = (state: string, body: string | object, headers = {}) => inbox.send(body, { id: idOf(state), headers })
  const rowOf = async (state: string) => {
    const [row] = await database.query<{ id: string }>('SELECT id FROM webhook_events WHERE external_id = $1', [idOf(state)])
    return row?.id ?? ''
  }

  // Every state that is there when the erasure begins.
  await send('applied', event('applied'))
  await send('deferred', event('deferred'))
  await send('put-off', event('put-off'))
  await send('parked', event('parked'))
  await send('by-hand', event('deferred'))
  await inbox.manage({ action: 'park', id: await rowOf('by-hand') })
  await send('late-by-hand', event('deferred'))
  await send('unhandled', event('unknown'))
  await send('unfit', { type: 'applied', data: { user: externalId, text: [name] } })
  await inbox.buffer(event('applied'), { id: idOf('buffered') })
  await inbox.buffer(event('unknown'), { id: idOf('buffered-unhandled') })
  // Payloads of which nobody can say whom they are about.
  await send('nobody', event('unknown', null))
  await send('no-json', `{"name":"${name}","email":"${email}"`)
  await inbox.buffer(event('unknown', 7), { id: idOf('bad-concerns') })
  // Rows that another session holds locked.
  const locked = ['locked-applied', 'locked-parked', 'locked-deferred', 'locked-unhandled']
  for (const state of locked) await send(state, event(state === 'locked-unhandled' ? 'unknown' : state.replace('locked-', '')))
  await database.query('BEGIN')
  await database.query('SELECT FROM webhook_events WHERE external_id = ANY ($1) FOR UPDATE', [locked.map(idOf)])

  const lateByHand = await rowOf('late-by-hand')
  const quietly = (work: Promise<unknown>) => work.catch(() => undefined)
  const jobs = [
    () => eraseUser(subject.id, { activity, database: service }),
    () => send('racing', event('applied')),
    () => send('racing-unhandled', event('unknown')),
    () => send('racing-deferred', event('deferred')),
    () => inbox.buffer(event('unknown'), { id: idOf('racing-buffered') }),
    () => inbox.buffer(event('deferred'), { id: idOf('racing-buffered-deferred') }),
    () => inbox.drain(),
    // Refused once the event has been ended, or the user is gone.
    () => quietly(inbox.manage({ action: 'park', id: lateByHand })),
    () =>
      quietly(createTransaction(subject.id, { amount: '1.00', currency: 'EUR', status: 'pending' }, { claim: claim(), activity, database: service })),
  ]
  const first = round % jobs.length
  await Promise.all([...jobs.slice(first), ...jobs.slice(0, first)].map(job => job()))
  await database.query('COMMIT')
  // Deliveries that come after it.
  await send('after', event('applied'))
  await send('after-unhandled', event('unknown'))
  await send('after-deferred', event('deferred'))
  await inbox.buffer(event('deferred'), { id: idOf('after-buffered') })

  const report = await inbox.maintain()
  expect(report).not.toHaveProperty('error')
  const unattributed = `SELECT external_id AS id FROM webhook_events WHERE body IS NOT NULL AND concerns IS NULL AND user_id IS NULL ORDER BY 1`
  expect(await database.query(unattributed)).toEqual(['bad-concerns', 'no-json', 'nobody'].map(state => ({ id: idOf(state) })))
  await database.query("UPDATE webhook_events SET received_at = received_at - interval '8 days' WHERE concerns IS NULL AND user_id IS NULL")
  await inbox.maintain()
  const residue = await residueOf([subject.externalId, name, email], { database, redis })
  // The rows stay, so that a redelivery is not applied again.
  expect(await send('applied', event('applied'))).toMatchObject({ status: 200, body: { outcome: 'duplicate' } })
  expect(await send('no-json', `{"name":"${name}","email":"${email}"`)).toMatchObject({ status: 200, body: { outcome: 'duplicate' } })
  return residue
}
