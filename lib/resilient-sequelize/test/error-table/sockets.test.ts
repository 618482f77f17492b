import { afterAll, afterEach, beforeAll, describe } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../functions-devkit/test/support/database.ts'
import { testProvocations } from './provocation.ts'
import { socketProvocations } from './sockets.ts'
import { Stage } from './stage.ts'

let database: TestDatabase
let stage: Stage

beforeAll(async () => {
  database = await createTestDatabase({ empty: true })
  stage = new Stage(database.connectionSettings, database.name)
})

afterEach(() => stage.close())
afterAll(() => database.drop())

describe('among the errors of sockets and of the pool', () => {
  testProvocations(socketProvocations, () => stage)
})
