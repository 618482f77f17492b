import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { classifyError } from '../../src/errors/classify-error.ts'
import { type PrivateServer, startPrivateServer } from './private-server.ts'
import { testProvocations } from './provocation.ts'
import { serverProvocations, serverSettings } from './server.ts'
import { Stage } from './stage.ts'

let server: PrivateServer
let stage: Stage

beforeAll(async () => {
  server = await startPrivateServer(serverSettings)
  stage = new Stage(server.postgres, 'postgres')
})

afterEach(() => stage.close())
afterAll(() => server.remove())

describe('among the errors of a server of its own', () => {
  testProvocations(serverProvocations, () => ({ postgres: server.postgres, stage }))
})

describe('a crash of another session', () => {
  it('is told as a warning, and what is met is the end of the connection', async () => {
    const [victim, witness] = [await stage.open(), await stage.open()]
    const notices: (string | undefined)[] = []
    witness.connection.on('notice', ({ severity, code }) => notices.push(`${severity} ${code}`))
    const [victimPid, witnessPid] = [await victim.pid(), await witness.pid()]
    const failed = witness.run('SELECT pg_sleep(20)').catch((caught: unknown) => caught)
    const waits = `SELECT 1 FROM pg_stat_activity WHERE pid = ${witnessPid} AND wait_event = 'PgSleep'`
    await expect.poll(() => stage.ask(waits)).toHaveLength(1)
    process.kill(victimPid, 'SIGKILL')
    const error = await failed
    expect(notices).toEqual(['WARNING 57P02'])
    expect(classifyError(error)).toMatchObject({ key: 'text:connection-terminated', transient: true, connection: 'drop', replay: 'check' })
  })
})
