import { afterAll, afterEach, beforeAll, describe } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../functions-devkit/test/support/database.ts'
import { testProvocations } from './provocation.ts'
import { Stage } from './stage.ts'
import { tlsProvocations } from './tls.ts'

let database: TestDatabase
let stage: Stage

beforeAll(async () => {
  database = await createTestDatabase({ empty: true })
  stage = new Stage(database.connectionSettings, database.name)
})

afterEach(() => stage.close())
afterAll(() => database.drop())

describe('among the errors of TLS', () => {
  testProvocations(tlsProvocations, () => ({ stage, authority: database.connectionSettings.authority }))
})
