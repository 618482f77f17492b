import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startClient, type Client } from '../../src/prove/client/client.ts'
import { writeProgram } from '../../src/prove/client/write-program.ts'

const HOUR_MS = 3_600_000
const TELLS = `exports.main = async (event, context) => ({
  now: Date.now(), made: new Date().getTime(), given: new Date(5).getTime(), isDate: new Date() instanceof Date,
  leftMs: context.getRemainingTimeInMillis() })`

let folder: string
let client: Client
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'clients-'))
  writeFileSync(join(folder, 'index.cjs'), TELLS)
  client = await startClient({ program: writeProgram(join(folder, 'client.cjs')), functionName: 'api/tells', entry: join(folder, 'index.cjs') })
})
afterAll(async () => {
  await client.end()
  rmSync(folder, { recursive: true, force: true })
})

async function ask(): Promise<Record<string, number | boolean>> {
  const outcome = await client.call({}, 2_000)
  if (outcome.outcome !== 'answered' || outcome.end.end !== 'result') throw new Error(JSON.stringify(outcome))
  return outcome.end.result as Record<string, number>
}

describe('a client', () => {
  it.each([HOUR_MS, -HOUR_MS, 0])('has a clock that is %i ms ahead, and its full time', async clockMs => {
    await client.begin({}, { clockMs })
    const askedAt = Date.now() + clockMs
    const { now, made, given, isDate, leftMs } = await ask()
    const aheadMs = Number(now) - askedAt
    expect([aheadMs >= 0 && aheadMs < HOUR_MS / 2, Number(made) >= Number(now), given, isDate]).toEqual([true, true, 5, true])
    expect(Number(leftMs) > 0 && Number(leftMs) <= 2_000).toBe(true)
  })

  it('answers a call that came while it was stopped', async () => {
    client.pause()
    let answered = false
    const asking = ask().finally(() => (answered = true))
    await sleep(100)
    expect(answered).toBe(false)
    client.resume()
    expect(await asking).toMatchObject({ given: 5 })
  })
})
