import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../functions-devkit/test/support/database.ts'
import { classifyError } from '../../src/errors/classify-error.ts'
import { errorTable } from '../../src/errors/table.ts'
import { networkProvocations } from './isolated-network.ts'
import { cannotBeRaisedHere } from './not-here.ts'
import { poolerProvocations } from './pooler.ts'
import { serverProvocations } from './server.ts'
import { sessionProvocations } from './sessions.ts'
import { socketProvocations } from './sockets.ts'
import { Stage, statements } from './stage.ts'
import { standbyProvocations } from './standby.ts'
import { statementProvocations } from './statements.ts'
import { tlsProvocations } from './tls.ts'

const provoked = new Set(
  [
    networkProvocations,
    poolerProvocations,
    serverProvocations,
    sessionProvocations,
    socketProvocations,
    standbyProvocations,
    statementProvocations,
    tlsProvocations,
  ].flatMap(group => Object.entries<readonly unknown[]>(group).flatMap(([key, ways]) => (ways.length > 0 ? [key] : []))),
)
const listed = cannotBeRaisedHere.map(({ key }) => key)
const keys = errorTable.map(({ key }) => key)

describe('the error table', () => {
  it('has a provocation for each row, or a reason why there is none', () => {
    expect([...provoked, ...listed].toSorted()).toEqual(keys.toSorted())
  })

  it('gives a reason only for rows that are not provoked, and only once', () => {
    expect(listed.filter(key => provoked.has(key))).toEqual([])
    expect(new Set(listed).size).toBe(listed.length)
    for (const { reason } of cannotBeRaisedHere) expect(reason.length).toBeGreaterThan(20)
  })
})

describe('a code that the server has no occasion for', () => {
  let database: TestDatabase
  let stage: Stage

  beforeAll(async () => {
    database = await createTestDatabase({ empty: true })
    stage = new Stage(database.connectionSettings, database.name)
  })

  afterEach(() => stage.close())
  afterAll(() => database.drop())

  const codes = errorTable.filter(({ key, match }) => listed.includes(key) && 'sqlstate' in match && match.text === undefined).map(({ key }) => key)

  it.each(codes)('%s is recognised when a function of the server sends it', async code => {
    const raise = statements(`DO $$ BEGIN RAISE EXCEPTION 'as it would be' USING ERRCODE = '${code}'; END $$`)
    const error = await raise(stage).catch((caught: unknown) => caught)
    expect(classifyError(error)).toMatchObject({ key: code, code })
  })
})
