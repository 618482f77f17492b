import { expect, test } from 'vitest'
import { withDatabase } from '../support/database.ts'
import { withHost } from '../support/host/host-process.ts'
import { mixedRequest, sendTo } from '../support/host/load.ts'
import { startProxy } from '../../../postgres-faults/src/proxy/proxy.ts'

// It lasts as long as the server profile waits between two looks: for the long run of all tests alone.
test.skipIf(process.env.SHUTDOWN_TIMES === undefined)(
  'the host finds a lost database and connects anew by itself, without a request',
  { timeout: 180_000 },
  async () => {
    await withDatabase(async database => {
      const { host: address, port } = database.connectionSettings
      const proxy = await startProxy({ target: { host: address, port } })
      try {
        const through = { DB_PORT: String(proxy.port), DB_CA_CERT: proxy.authority }
        await withHost(
          database,
          async host => {
            const of = (name: string) => (line: Record<string, unknown>) => line.function === 'api/webhook' && line.event === name
            expect(await sendTo(host.port, mixedRequest(0))).toMatchObject({ status: 200 })
            await proxy.refuse('unreachable')
            proxy.cutAll('reset')
            await host.logs(of('database.connection.lost'))
            const lost = host.lines().length
            await host.logs(of('database.connection.retried'))
            await proxy.accept()
            await host.logs(of('database.connection.restored'), lost)
            // Nobody asked for it.
            expect(host.lines().filter(of('invocation.completed'))).toHaveLength(1)
            expect(await sendTo(host.port, mixedRequest(0))).toMatchObject({ status: 200 })
          },
          { variables: through },
        )
      } finally {
        await proxy.stop()
      }
    })
  },
)
