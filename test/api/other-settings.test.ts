import { describe, expect, it } from 'vitest'
import { api, pay, withApi } from '../support/api.ts'
import { withEnvironment } from '../../lib/functions-devkit/test/support/functions.ts'

// The API answers the same whatever the database has set.

const SETTINGS = [
  "DateStyle TO 'SQL, DMY'",
  "DateStyle TO 'German, YMD'",
  "IntervalStyle TO 'iso_8601'",
  "TimeZone TO 'America/St_Johns'",
  'default_transaction_isolation TO serializable',
  'standard_conforming_strings TO off',
  'bytea_output TO escape',
  'synchronous_commit TO off',
] as const

/** What the API says of a user with a payment, with names for what differs from call to call. */
async function everyAnswer(): Promise<string[]> {
  const created = await api('POST /', { body: { email: 'ada@example.com', name: String.raw`Ada \ O'Neil €`, externalId: 'usr_1' } })
  const id = String(created.body.id)
  const answers = [created, await api(`GET /${id}`), await api('GET /', { query: 'externalId=usr_1' }), await pay(id, { status: 'completed' })]
  answers.push(await api(`GET /${id}/balances`), await api(`GET /${id}/activity`), await api(`DELETE /${id}`), await api(`GET /${id}`))
  const fixed = (text: string) => text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'id').replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'at')
  return answers.map(({ statusCode, body }) => `${statusCode} ${fixed(JSON.stringify(body ?? null))}`)
}

async function answersUnder(setting: string): Promise<string[]> {
  let answers: string[] = []
  await withApi(async database => {
    await database.query(`ALTER DATABASE ${database.name} SET ${setting}`)
    answers = await everyAnswer()
  })
  return answers
}

async function answerOn(encoding: string) {
  let answer: Awaited<ReturnType<typeof api>> | undefined
  await withApi(async database => {
    const name = `${database.name}_other`
    await database.query(`CREATE DATABASE ${name} ENCODING '${encoding}' TEMPLATE template0 LOCALE 'C'`)
    try {
      answer = await withEnvironment({ DB_NAME: name }, () => api('POST /', { body: { email: 'ada@example.com', name: 'Ada €' } }))
    } finally {
      await database.query(`DROP DATABASE ${name} WITH (FORCE)`)
    }
  })
  return answer
}

it.each(['LATIN1', 'SQL_ASCII', 'WIN1252'])('the API refuses a database in %s with a code of its own', async encoding => {
  expect(await answerOn(encoding)).toMatchObject({ statusCode: 503, body: { code: 'unsupported-server' } })
})

describe('the API on a database with other settings', () => {
  it.each(SETTINGS)('answers the same under %s', async setting => {
    const usual = await answersUnder("DateStyle TO 'ISO, MDY'")
    expect(usual.map(answer => answer.slice(0, 3))).toEqual(['201', '200', '200', '201', '200', '200', '204', '404'])
    expect(await answersUnder(setting)).toEqual(usual)
  })
})
