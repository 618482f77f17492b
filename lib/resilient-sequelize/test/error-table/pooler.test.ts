import { afterAll, afterEach, beforeAll, describe } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../functions-devkit/test/support/database.ts'
import { poolerProvocations } from './pooler.ts'
import { testProvocations } from './provocation.ts'
import { Stage } from './stage.ts'

let database: TestDatabase
let stage: Stage

beforeAll(async () => {
  database = await createTestDatabase({ empty: true })
  stage = new Stage(database.connectionSettings, database.name)
})

// What the pooler ended may still run on the server: nobody there looks whether the client is gone.
afterEach(() => stage.close())
afterAll(() => database.drop())

describe('among the errors of a pooler', () => {
  testProvocations(poolerProvocations, () => stage)
})
