import { describe, expect, it } from 'vitest'
import { type DatabaseService, type Work } from '../../src/database/service.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { runWithDeadline } from '../../../invocation/src/deadline-scope.ts'
import { runInvocation } from '../../../invocation/src/invocation-scope.ts'
import { withService, type ServiceUnderTest } from '../../../functions-devkit/test/support/service.ts'

const select = ({ query }: Work) => query('SELECT 1 AS one')
const read = (service: DatabaseService) => service.execute('read', select, { mode: 'read' })
const write = (service: DatabaseService) =>
  service.execute('write', ({ query }) =>
    query(
      "INSERT INTO webhook_events (id, source, external_id, type, received_at) VALUES (gen_random_uuid(), 's', gen_random_uuid()::text, 't', now())",
    ),
  )
const looksOf = ({ proxy }: ServiceUnderTest) =>
  proxy
    .statementFlights()
    .flat()
    .filter(text => text.includes('pg_stat_get_activity(NULL)')).length

/** One call of a function, as its edge makes it. */
async function invoke<Result>(work: () => Promise<Result>): Promise<Result> {
  const deadline = openDeadline({ remainingMs: 10_000 })
  try {
    return await runInvocation(() => runWithDeadline(deadline, work))
  } finally {
    deadline.clear()
  }
}

// One session is a crowd.
const CROWDED = { crowdedAt: 0.000_001 }

describe('a container on a server', () => {
  it('keeps its connection, and looks in the flight of a statement of its own', async () => {
    await withService(async subject => {
      for (let call = 0; call < 20; call += 1) await invoke(() => read(subject.service))
      expect(subject.proxy.counts()).toMatchObject({ connections: 1, roundTrips: 6 + 19 })
      expect(looksOf(subject)).toBe(1)
      const [first, ...others] = subject.proxy.statementFlights()
      expect(first).toHaveLength(3)
      expect(others).toEqual(
        Array.from({ length: 19 }, () => [expect.stringContaining("set_config('transaction_read_only'") as string, 'SELECT 1 AS one']),
      )
      expect(await subject.sessions()).toBe(1)
    })
  })

  it('looks behind the COMMIT of a transaction, not in it', async () => {
    await withService(async subject => {
      await invoke(() => write(subject.service))
      const flights = subject.proxy.statementFlights()
      expect(flights.at(-1)).toHaveLength(3)
      expect(flights.at(-1)?.slice(0, 2)).toEqual([expect.stringContaining('synchronous_commit'), 'COMMIT'])
      expect(subject.proxy.counts().roundTrips).toBe(5 + 2)
    })
  })

  it('looks again after a minute of use', async () => {
    await withService(async subject => {
      await invoke(() => read(subject.service))
      subject.passTime(76_000)
      await invoke(() => read(subject.service))
      await invoke(() => read(subject.service))
      expect(looksOf(subject)).toBe(2)
    })
  })

  it('looks once more after the clock has jumped, either way, and keeps its connection', async () => {
    await withService(async subject => {
      await invoke(() => read(subject.service))
      for (const jumpMs of [-7_200_000, 86_400_000, -31_536_000_000]) {
        const before = looksOf(subject)
        subject.passTime(jumpMs)
        for (let call = 0; call < 3; call += 1) await invoke(() => write(subject.service))
        expect(looksOf(subject) - before).toBe(1)
      }
      expect(subject.proxy.counts().connections).toBe(1)
      expect(await subject.sessions()).toBe(1)
    })
  })
})

describe('a container on a crowded server', () => {
  it('has given its connection back when it answers, and is served by a fresh one each time', async () => {
    await withService(
      async subject => {
        for (let call = 1; call <= 3; call += 1) {
          await invoke(async () => (await read(subject.service), await write(subject.service)))
          expect(await subject.sessions()).toBe(0)
          expect(subject.proxy.counts().connections).toBe(call)
        }
        expect(subject.manager.getConnectionStatus()).toMatchObject({ generation: 1, pool: { size: 0 } })
      },
      { profile: CROWDED },
    )
  })

  it('gives it back although the handler failed', async () => {
    await withService(
      async subject => {
        const failing = invoke(async () => {
          await read(subject.service)
          throw new Error('handler')
        })
        await expect(failing).rejects.toThrow('handler')
        expect(await subject.sessions()).toBe(0)
      },
      { profile: CROWDED },
    )
  })

  it('leaves to others of its process what they use', async () => {
    await withService(
      async subject => {
        let done = () => undefined as void
        const held = new Promise<void>(resolve => (done = resolve))
        let begun = () => undefined as void
        const started = new Promise<void>(resolve => (begun = resolve))
        const other = invoke(() =>
          subject.service.execute('long', async ({ query }) => {
            await query('SELECT 1')
            begun()
            await held
            return query('SELECT 2 AS two')
          }),
        )
        await started
        await invoke(() => read(subject.service))
        done()
        expect(await other).toEqual([{ two: 2 }])
      },
      { profile: { ...CROWDED, pool: { max: 2, min: 0, acquireMs: 5_000, idleMs: 60_000, evictMs: 10_000 } } },
    )
  })
})

describe('a guard whose assumptions do not hold', () => {
  it('keeps the connection, and spoils nothing, when the role may not look', async () => {
    await withService(async subject => {
      subject.proxy.addFault({
        on: 'statement',
        matches: /pg_stat_get_activity\(NULL\)/,
        when: 'before',
        action: { error: { severity: 'ERROR', code: '42501', message: 'permission denied for function pg_stat_get_activity' } },
      })
      await invoke(() => write(subject.service))
      await invoke(() => read(subject.service))
      expect(await subject.database.query('SELECT 1 FROM webhook_events')).toHaveLength(1)
      expect(await subject.sessions()).toBe(1)
      expect(subject.lines.some(line => line.event === 'database.crowding.unseen')).toBe(true)
    })
  })
})
