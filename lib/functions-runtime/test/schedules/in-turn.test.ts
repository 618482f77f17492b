import { describe, expect, it } from 'vitest'
import { bufferSettings } from '../../../webhook-inbox/src/settings/buffer.ts'
import { payloadSettings } from '../../../webhook-inbox/src/settings/payload.ts'
import { defineFunction } from '../../src/edge/define.ts'
import { inTurn } from '../../src/schedules/in-turn.ts'

const SILENT = { write: () => undefined }
const EVENT = { source: 'schedule', task: 'rounds' }

function build({ fail = false } = {}) {
  const calls: string[] = []
  const shares: number[] = []
  const ended: string[] = []
  const first = defineFunction(
    {
      name: 'ops/first',
      settings: { keys: payloadSettings },
      setup: () => ({}),
      shutdown: async () => void ended.push('first'),
      invoked: async (input, { deadline }) => {
        calls.push(`first ${JSON.stringify(input)}`)
        shares.push(deadline.remainingMs())
        if (fail) throw new Error('fails')
        return { done: 1 }
      },
    },
    { output: SILENT },
  )
  const second = defineFunction(
    {
      name: 'ops/second',
      settings: { keys: payloadSettings, buffer: bufferSettings },
      setup: () => ({}),
      shutdown: async () => void ended.push('second'),
      invoked: async (input, { deadline }) => {
        calls.push(`second ${JSON.stringify(input)}`)
        shares.push(deadline.remainingMs())
        return { done: 2 }
      },
    },
    { output: SILENT },
  )
  return { main: inTurn({ first, second }, { name: 'ops/rounds' }), calls, shares, ended }
}

describe('functions in turn', () => {
  it('are called in order, with the same event', async () => {
    const { main, calls } = build()
    expect(await main(EVENT)).toEqual({ first: { done: 1 }, second: { done: 2 } })
    expect(calls).toEqual([`first ${JSON.stringify(EVENT)}`, `second ${JSON.stringify(EVENT)}`])
  })

  it('are all called when one fails, and the call counts as failed', async () => {
    const { main, calls } = build({ fail: true })
    const answer = await main(EVENT)
    expect(calls).toHaveLength(2)
    expect(answer).toMatchObject({ first: { error: { code: 'internal-error' } }, second: { done: 2 }, error: { functions: ['first'] } })
  })

  it('share the time that the platform leaves', async () => {
    const { main, shares } = build()
    const endsAt = Date.now() + 60_000
    await main(EVENT, { getRemainingTimeInMillis: () => endsAt - Date.now() })
    const [first = 0, second = 0] = shares
    expect([first <= 30_000, second <= 60_000, second > first]).toEqual([true, true, true])
  })

  it('need the variables of all, and report the issues of all', () => {
    const { main } = build()
    expect(main.variables).toEqual([...new Set([...payloadSettings.variables, ...bufferSettings.variables, 'LOG_LEVEL'])].sort())
    const issues = main.settingIssues({ PAYLOAD_KEY: 'no key', REDIS_URL: 'no url' })
    expect(issues.map(({ variable }) => variable)).toEqual(expect.arrayContaining(['PAYLOAD_KEY', 'REDIS_URL']))
  })

  it('end together', async () => {
    const { main, ended } = build()
    await main(EVENT)
    await main.shutdown()
    expect(ended).toEqual(['first', 'second'])
  })
})
