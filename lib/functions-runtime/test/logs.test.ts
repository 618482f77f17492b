import { describe, expect, it } from 'vitest'
import { openDeadline } from '../../invocation/src/deadline.ts'
import { main as user } from '../../functions-devkit/test/application/packages/api/user/index.ts'
import { main as webhook } from '../../functions-devkit/test/application/packages/api/webhook/index.ts'
import { apiKey, call, withFunctions } from '../../functions-devkit/test/support/functions.ts'
import { gatherLogLines } from '../../functions-devkit/test/support/log-lines.ts'
import { withService } from '../../functions-devkit/test/support/service.ts'
import { completedTransaction, signedHeaders } from '../../functions-devkit/test/support/webhooks.ts'

const LOUD = { LOG_LEVEL: 'info' }
const life = (lines: Record<string, unknown>[]) => lines.filter(({ msg }) => String(msg).startsWith('Database connection'))

describe('the line of an invocation', () => {
  it('tells route, status, time, attempts, trips, generation and what was counted', async () => {
    await withFunctions(
      [user],
      async () => {
        const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
        const lines = await gatherLogLines(async () => {
          await call(user, { headers })
          await call(user, { headers })
          await call(user, {})
        })
        const number = expect.any(Number) as number
        const common = { event: 'invocation.completed', route: 'GET /', method: 'GET', ms: number, remainingMs: number }
        const completed = lines.filter(({ event }) => event === 'invocation.completed')
        const read = { status: 200, attempts: 1, trips: 1, generation: 1, counters: { 'operations user.list ok': 1 } }
        expect(completed).toMatchObject([
          { ...common, ...read, cold: true },
          { ...common, ...read, cold: false },
          { ...common, status: 401, attempts: 0 },
        ])
        expect(completed[2]).not.toHaveProperty('counters')
        expect(completed[2]).not.toHaveProperty('trips')
      },
      LOUD,
    )
  })

  it('tells what became of each event', async () => {
    await withFunctions(
      [webhook],
      async () => {
        const body = completedTransaction()
        const headers = signedHeaders(body)
        const send = (sent: Record<string, string>) => call(webhook, { method: 'POST', path: '/demo', body, headers: sent })
        const lines = await gatherLogLines(async () => {
          await send(headers)
          await send(headers)
          await send({ ...headers, 'webhook-signature': '' })
        })
        const counted = lines.filter(({ event }) => event === 'invocation.completed').map(({ counters }) => Object.keys(counters as object))
        expect(counted.map(keys => keys.filter(key => key.startsWith('events')))).toEqual([
          ['events demo applied'],
          ['events demo duplicate'],
          ['events demo signature-missing'],
        ])
      },
      LOUD,
    )
  })
})

describe('the life of a connection', () => {
  it('is told in lines that begin with "Database connection", with class and code, and a loss once', async () => {
    await withService(async ({ service, manager, proxy, lines, passTime }) => {
      const read = () =>
        service.execute('look', ({ query }) => query('SELECT 1 AS one'), {
          mode: 'read',
          deadline: openDeadline({ remainingMs: 1_500, reserveMs: 0 }),
        })
      await read()
      await manager.end()
      const fault = proxy.addFault({ on: 'connect', when: 'accept', action: 'reset', times: 1_000 })
      await expect(read()).rejects.toMatchObject({ code: 'database-unavailable' })
      await expect(read()).rejects.toMatchObject({ code: 'database-unavailable' })
      fault.remove()
      passTime(20_000)
      await read()
      const told = life(lines).map(({ msg }) => String(msg))
      expect(told.filter(msg => !/ retry /.test(msg))).toEqual([
        'Database connection established',
        'Database connection closed',
        'Database connection lost',
        'Database connection re-established',
      ])
      const described = { class: 'transient', code: expect.stringMatching(/^ECONN/) as string }
      expect(lines.find(({ event }) => event === 'database.connection.lost')).toMatchObject(described)
      const retries = life(lines).filter(({ event }) => event === 'database.connect.retried')
      expect(retries.length).toBeGreaterThan(1)
      for (const { msg, number, delayMs, ...rest } of retries) {
        expect(rest).toMatchObject(described)
        expect(msg).toBe(`Database connection retry ${String(number)} in ${String(delayMs)} ms`)
      }
    })
  })

  it('tells of one that died while it was idle, and of its successor', async () => {
    await withService(async ({ service, proxy, lines, passTime }) => {
      const read = () => service.execute('look', ({ query }) => query('SELECT 1 AS one'), { mode: 'read' })
      await read()
      proxy.addFault({ on: 'statement', matches: /^START TRANSACTION/, when: 'before', action: 'reset' })
      passTime(6_000)
      await read()
      expect(life(lines).map(({ msg }) => msg)).toEqual([
        'Database connection established',
        'Database connection lost while it was idle',
        'Database connection established',
      ])
    })
  })
})

it('an operation that takes long is told of with its name and time, and nothing of what it said', async () => {
  await withService(
    async ({ service, lines }) => {
      await service.execute('slow', ({ query }) => query("SELECT pg_sleep(0.3), 'hidden-word' AS word"), { mode: 'read' })
      const slow = lines.filter(({ event, operation }) => event === 'database.operation.slow' && operation === 'slow')
      expect(slow).toMatchObject([{ level: 'warn', operation: 'slow', ms: expect.any(Number) as number }])
      expect(JSON.stringify(lines)).not.toContain('hidden-word')
    },
    { settings: { slowOperationMs: 250 } },
  )
})
