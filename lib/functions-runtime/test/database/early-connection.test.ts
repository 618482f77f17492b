import { expect, it, vi } from 'vitest'
import { classifyError } from '../../../resilient-sequelize/src/errors/classify-error.ts'
import type { Generation } from '../../../resilient-sequelize/src/pool/generation.ts'
import type { BuildGeneration } from '../../../resilient-sequelize/src/pool/manager.ts'
import { withService, type ServiceUnderTest } from '../../../functions-devkit/test/support/service.ts'

type Subject = ServiceUnderTest & { generation: Generation }

/** A generation that connects while it is being built; nobody has asked it for a connection yet. */
async function withGeneration(
  work: (subject: Subject) => Promise<void>,
  before: (subject: ServiceUnderTest) => Promise<void> = async () => undefined,
) {
  await withService(
    async subject => {
      await before(subject)
      await work({ ...subject, generation: await subject.manager.currentGeneration() })
    },
    { around: build => asked => build({ ...asked, connecting: true }) },
  )
}

const letIn = ({ sessions }: Subject) => vi.waitFor(async () => expect(await sessions()).toBe(1))

it('is begun with the first use of the database and is that use’s own', async () => {
  const asked: (boolean | undefined)[] = []
  await withService(
    async ({ service, manager, proxy }) => {
      await service.execute('read', ({ query }) => query('SELECT 1'), { mode: 'read' })
      await (await manager.currentGeneration()).sequelize.close()
      await service.execute('read', ({ query }) => query('SELECT 1'), { mode: 'read' })
      // Once all is loaded there is nothing to gain.
      expect(asked).toEqual([true, false])
      expect(proxy.counts().connections).toBe(2)
    },
    { around: build => options => (asked.push(options.connecting), build(options)) },
  )
})

it('is not begun by who asks for no connection', async () => {
  await withService(async ({ manager, proxy }) => {
    await manager.currentGeneration()
    expect(proxy.counts().connections).toBe(0)
  })
})

it('is there before anybody asks, and becomes the first of the pool', async () => {
  await withGeneration(async subject => {
    const { generation, proxy } = subject
    await letIn(subject)
    const connection = await generation.acquire()
    expect(generation.counts()).toMatchObject({ size: 1, inUse: 1 })
    generation.release(connection)
    expect(await generation.acquire()).toBe(connection)
    generation.release(connection)
    expect(proxy.counts().connections).toBe(1)
  })
})

it('is asked for while it is still on its way, and is the same one', async () => {
  await withGeneration(async ({ generation, proxy }) => {
    generation.release(await generation.acquire())
    expect(proxy.counts().connections).toBe(1)
  })
})

it('has the session and the types that any other has', async () => {
  await withGeneration(async ({ generation, service }) => {
    const look = () =>
      service.execute(
        'look',
        ({ query }) =>
          query(`SELECT current_setting('idle_session_timeout') AS idle, current_setting('application_name') AS name,
            1.50::numeric AS amount, 9007199254740993 AS large, date '2024-02-29' AS day, timestamptz '2024-02-29 12:00+02' AS at,
            '{"a":1}'::jsonb AS json, true AS yes, '\\x00ff'::bytea AS bytes, 0.1::float8 AS share, ARRAY[1,2] AS list`),
        { mode: 'read' },
      )
    const first = await look()
    await generation.closeIdle()
    expect(generation.counts().size).toBe(0)
    expect(await look()).toEqual(first)
  })
})

it('that was refused is what the first use meets, and the next one connects anew', async () => {
  await withGeneration(
    async ({ generation, proxy }) => {
      await vi.waitFor(() => expect(proxy.counts()).toMatchObject({ refusedConnections: 1 }))
      // Whoever asks now would get in; but it is the refusal that is told.
      await proxy.accept()
      const error: unknown = await generation.acquire().catch((error: unknown) => error)
      expect(classifyError(error)).toMatchObject({ transient: true })
      generation.release(await generation.acquire())
    },
    async ({ proxy }) => proxy.refuse(),
  )
})

it('that was lost before anybody asked is met as a lost one', async () => {
  await withGeneration(async subject => {
    const { generation, proxy } = subject
    await letIn(subject)
    proxy.cutAll('reset')
    await vi.waitFor(() => expect(proxy.counts().open).toBe(0))
    const error: unknown = await generation.acquire().catch((error: unknown) => error)
    expect(classifyError(error)).toMatchObject({ transient: true })
    generation.release(await generation.acquire())
    expect(proxy.counts().connections).toBe(2)
  })
})

it.each(['closeIdle', 'close'] as const)('that nobody has asked for is ended by %s', async how => {
  await withGeneration(async subject => {
    await letIn(subject)
    await subject.generation[how](1_000)
    await vi.waitFor(async () => expect(await subject.sessions()).toBe(0))
  })
})

it('whose TLS cannot be prepared fails as any other', async () => {
  const ca = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'
  const options = { minVersion: 'TLSv1.2', rejectUnauthorized: true, ca } as const
  const met: unknown[] = []
  const use = async ({ manager, sessions }: ServiceUnderTest) => {
    const generation = await manager.currentGeneration()
    met.push(await generation.acquire().catch((error: unknown) => (error as Error).message))
    expect(await sessions()).toBe(0)
  }
  for (const connecting of [true, false]) {
    const around =
      (build: BuildGeneration): BuildGeneration =>
      asked =>
        build({ ...asked, connecting })
    await withService(use, { settings: { tls: { mode: 'verified', options } }, around })
  }
  expect(met).toEqual([expect.any(String), met[0]])
})

it('whose log-in was refused tells why, however late it is asked for', async () => {
  await withService(
    async ({ manager, proxy }) => {
      const generation = await manager.currentGeneration()
      await vi.waitFor(() => expect(proxy.counts()).toMatchObject({ connections: 1, open: 0 }))
      const error: unknown = await generation.acquire().catch((error: unknown) => error)
      expect(classifyError(error)).toMatchObject({ code: '28P01' })
    },
    { settings: { password: 'wrong' }, around: build => asked => build({ ...asked, connecting: true }) },
  )
})
