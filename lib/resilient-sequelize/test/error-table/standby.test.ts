import { afterAll, afterEach, beforeAll, describe } from 'vitest'
import { type PrivateServer, startPrivateServer } from './private-server.ts'
import { testProvocations } from './provocation.ts'
import { Stage } from './stage.ts'
import { standbyProvocations, startStandby } from './standby.ts'

let server: PrivateServer
let follower: Awaited<ReturnType<typeof startStandby>> | undefined
let standby: Stage

beforeAll(async () => {
  server = await startPrivateServer()
  follower = await startStandby(server)
  standby = new Stage(follower, 'postgres')
})

afterEach(() => standby.close())

afterAll(async () => {
  await follower?.stop()
  await server.remove()
})

describe('among the errors of a standby', () => {
  testProvocations(standbyProvocations, () => ({ primary: new Stage(server.postgres, 'postgres'), standby }))
})
