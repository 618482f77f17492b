import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readHistories, writeHistory, type History, type HistoryEvent } from '../../src/prove/history.ts'

const at = fc.nat()
const text = fc.string({ unit: 'grapheme' })
const request = { at, id: text, attempt: fc.nat() }
const event: fc.Arbitrary<HistoryEvent> = fc.oneof(
  fc.record({ event: fc.constant('sent' as const), ...request }),
  fc.record({ event: fc.constant('answered' as const), ...request, status: fc.integer({ min: 100, max: 599 }) }),
  fc.record({ event: fc.constant('answered' as const), ...request, status: fc.constant(409), code: text }),
  fc.record({ event: fc.constant('failed' as const), ...request, reason: text }),
  fc.record({ event: fc.constant('hung' as const), ...request, lateMs: fc.nat() }),
  fc.record({ event: fc.constant('fault' as const), at, fault: text, point: text }),
)
const history = fc.record(
  {
    run: text,
    operation: text,
    amount: fc.constant('12.50'),
    events: fc.array(event),
    rows: fc.array(fc.record({ id: text, times: fc.nat(), amount: fc.constant('1') }, { requiredKeys: ['id', 'times'] })),
    left: fc.record({ sessions: fc.nat(), locks: fc.nat() }),
    problems: fc.array(text),
  },
  { requiredKeys: ['run', 'operation', 'events', 'rows', 'left'], noNullPrototype: true },
)

const one: History = {
  run: 'cut 1',
  operation: 'webhook applied',
  events: [
    { at: 0, event: 'sent', id: 'a', attempt: 1 },
    { at: 9, event: 'answered', id: 'a', attempt: 1, status: 200, code: 'applied' },
  ],
  rows: [{ id: 'a', times: 1 }],
  left: { sessions: 0, locks: 0 },
}
const [beginning = '', sent = '', answered = '', end = ''] = writeHistory(one).trim().split('\n')

describe('a history as JSON lines', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.uniqueArray(history, { selector: ({ run }) => run }), histories => {
        expect(readHistories(histories.map(writeHistory).join(''))).toEqual(histories)
      }),
    )
  })

  it('is told from others whose lines are mixed in', () => {
    const other = { ...one, run: 'cut 2' }
    const lines = writeHistory(other).split('\n')
    const mixed = [beginning, sent, answered, end].flatMap((line, index) => [line, lines[index]])
    expect(readHistories(mixed.join('\n'))).toEqual([one, other])
  })

  it.each([
    ['no JSON', [beginning, 'sent'], 2],
    ['null', ['null'], 1],
    ['an event of a run that has not begun', [sent], 1],
    ['an unknown event', [beginning, sent.replace('sent', 'told')], 2],
    ["an object's own member as event", [beginning, sent.replace('sent', 'constructor')], 2],
    ['an answer without a status', [beginning, sent, answered.replace('"status":200,', '')], 3],
    ['a status in words', [beginning, sent, answered.replace('200', '"ok"')], 3],
    ['an event after the end', [beginning, sent, end, answered], 4],
    ['a second beginning', [beginning, beginning], 2],
    ['an end without rows', [beginning, end.replace('rows', 'lines')], 2],
  ])('refuses %s and names its line', (_what, lines, number) => {
    expect(() => readHistories(lines.join('\n'))).toThrow(`Line ${number} is not the next line of a history: ${lines.at(number - 1)}`)
  })

  it('refuses a run without its end', () => {
    expect(() => readHistories([beginning, sent].join('\n'))).toThrow('The history of run cut 1 has no end')
  })
})
