import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { reachDatabase } from '../../functions-devkit/src/cli/doctor/database/reach.ts'
import { judgeTls } from '../../functions-devkit/src/cli/doctor/database/tls.ts'
import { databaseSettings } from '../src/database/settings.ts'
import { makeServerFolder } from '../../postgres-faults/src/server-folder.ts'
import { dataRootFor } from '../../functions-devkit/src/server/postgres/data-root.ts'
import { startPostgres, type LocalPostgres } from '../../functions-devkit/src/server/postgres/local-postgres.ts'
import { main } from '../../functions-devkit/test/application/packages/api/health/index.ts'
import { call, withEnvironment } from '../../functions-devkit/test/support/functions.ts'

let folder: string
let postgres: LocalPostgres
let url: string
beforeAll(async () => {
  folder = await makeServerFolder()
  postgres = await startPostgres({
    folder,
    programsFolder: dataRootFor(resolve(import.meta.dirname, '../../..')).folder,
    // Nowhere but through the socket; the server's user may write there, and the path of a socket has to be short.
    settings: { fsync: 'off', unix_socket_directories: '/tmp' },
  })
  url = `postgresql://${postgres.user}:${encodeURIComponent(postgres.password)}@%2Ftmp:${postgres.port}/postgres`
})
afterAll(async () => {
  await postgres.stop('immediate')
  await rm(folder, { recursive: true, force: true })
})

it('reaches a database through the folder of a socket', async () => {
  const environment = { DB_CONNECTION_URL: url, LOG_LEVEL: 'silent' }
  try {
    const answer = await withEnvironment(environment, () => call(main, { path: '/database' }))
    expect(answer).toMatchObject({ statusCode: 200, body: { status: 'pass' } })
  } finally {
    await main.shutdown()
  }
})

it('is no puzzle for the doctor', async () => {
  const { value: settings } = databaseSettings.parse({ DB_CONNECTION_URL: url })
  if (settings === undefined) throw new Error('the settings of the test are wrong')
  const { client, findings } = await reachDatabase({ settings, variable: part => part, takesDirectTls: async () => false })
  try {
    expect(findings.map(({ status }) => status)).toEqual(['ok', 'ok'])
    if (client === undefined) throw new Error('not let in')
    expect(judgeTls(client, { settings, direct: false, now: Date.now })).toMatchObject([{ status: 'ok' }])
  } finally {
    client?.connection.stream.destroy()
  }
})
