import { describe, expect, it } from 'vitest'
import { describeFindings } from '../../src/cli/doctor/doctor.ts'
import { describeSent, sendEvents } from '../../src/cli/send-events.ts'
import { CheckError } from '../../src/cli/smoke/call.ts'
import { runChecks } from '../../src/cli/smoke/run.ts'
import { describeAnswer } from '../../src/cli/webhooks/describe.ts'
import { namesTaken, refuseTakenNames } from '../../../resilient-sequelize/src/migrate/taken-names.ts'
import { sourceTable } from '../application/lib/app/webhooks/sources.ts'

const FOREIGN = ['a\nok    forged  All is well', '\u001b[2Jgone', '\u009b31mred', 'a\u202eb', '\u200b\ufeff\u2028', 'x'.repeat(100_000)]
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

describe.each(FOREIGN)('%j stays within its line', text => {
  it('in the results of smoke', async () => {
    const lines: string[] = []
    const checks = [
      { name: 'seen', run: async () => text },
      { name: 'wrong', run: async () => Promise.reject(new CheckError(text)) },
    ]
    await runChecks(checks, line => void lines.push(line))
    expect(lines).toHaveLength(2)
    for (const line of lines) {
      expect(line).not.toMatch(UNSEEN)
      expect(line.length).toBeLessThan(600)
    }
  })

  it.each([JSON.stringify({ outcome: text }), JSON.stringify({ code: [text] }), text])('in the answers of send', async body => {
    const lines: string[] = []
    await sendEvents(
      { source: 'demo', type: 'smoke.ping', times: 1, tamper: false, duplicate: false, data: {}, expect: undefined },
      {
        address: 'http://127.0.0.1:1',
        definition: sourceTable.demo,
        secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
        answered: answer => void lines.push(describeSent(answer)),
        eventData: () => ({}),
        post: async () => new Response(body),
      },
    )
    expect(lines).toHaveLength(1)
    expect(lines[0]).not.toMatch(UNSEEN)
    expect(lines[0]?.length).toBeLessThan(1_400)
  })

  it('in the list of parked events', () => {
    const out = describeAnswer({
      events: [{ id: '1', source: 'demo', externalId: text, type: text, lastError: text }],
      buffer: { waiting: 1, entries: [{ code: text }] },
    })
    expect(out.trimEnd().split('\n')).toHaveLength(8)
    expect(out.replaceAll('\n', '')).not.toMatch(UNSEEN)
  })

  it('in what the doctor found', () => {
    const out = describeFindings([{ check: 'tls', status: 'fail', reason: text, cure: text }])
    expect(out.trimEnd().split('\n')).toHaveLength(2)
    expect(out.replaceAll('\n', '')).not.toMatch(UNSEEN)
  })

  it('among the names that others own', async () => {
    const rows = [{ kind: 'table', schema: 'public', name: text, table: null, extension: text }]
    const client = { query: async () => ({ rows }) as never }
    const pending = [
      { name: '1', up: async ({ query }: { query: (sql: string) => Promise<unknown> }) => void (await query('CREATE TABLE t (a int)')) },
    ]
    const refusal = refuseTakenNames(client, { schema: 'public', pending, applied: [], tableIsForeign: false })
    await expect(refusal).rejects.toMatchObject({ code: 'names-taken', message: expect.not.stringMatching(UNSEEN) as unknown })
  })
})

it('lists at most fifty names that others own', () => {
  const names = Array.from({ length: 80 }, (_, at) => `table public.t${at}`)
  const { message, details } = namesTaken(names)
  expect(message).toContain('table public.t49; 30 more')
  expect(message).not.toContain('t50')
  expect(details).toEqual({ names })
})
