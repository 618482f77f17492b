import { describe, expect, it } from 'vitest'
import { areSame, cutPoints, readSelection } from '../../src/prove/points.ts'
import { type WireMessage } from '../../src/proxy/wire.ts'

const message = (from: WireMessage['from'], index: number, type: string, { connection = 1, divisible = true } = {}): WireMessage => ({
  connection,
  from,
  message: index,
  type,
  bytes: 10,
  divisible,
})
const RECORDING = [
  message('client', 0, 'SSLRequest', { divisible: false }),
  message('server', 0, 'EncryptionResponse', { divisible: false }),
  message('client', 1, 'Query'),
  message('server', 1, 'ReadyForQuery'),
]

describe('cut points', () => {
  it('are one before each message and one inside those that can be divided', () => {
    const points = cutPoints(RECORDING)
    expect(points.map(({ number, from, message: index, inside }) => `${number} ${from} ${index} ${inside ? 'inside' : 'before'}`)).toEqual([
      '1 client 0 before',
      '2 server 0 before',
      '3 client 1 before',
      '4 client 1 inside',
      '5 server 1 before',
      '6 server 1 inside',
    ])
  })

  it.each([
    ['5,17-20', [5, 17, 18, 19, 20]],
    ['1-2', [1, 2]],
    ['3', [3]],
  ])('are selected by %s', (text, expected) => {
    const isSelected = readSelection(text)
    expect(Array.from({ length: 30 }, (_, index) => index + 1).filter(isSelected)).toEqual(expected)
  })

  it.each(['', '0', 'a', '5-', '7-3', '1,,2', '-1', '1.5'])('refuses the selection %j', text => {
    expect(() => readSelection(text)).toThrow(/is no cut point: write numbers from 1 on/)
  })
})

describe('two recordings', () => {
  it('are the same however their sides take turns', () => {
    const [request, answer, query, ready] = RECORDING as [WireMessage, WireMessage, WireMessage, WireMessage]
    expect(areSame(RECORDING, [request, query, answer, ready])).toBe(true)
  })

  it('differ by a message, its side or its connection', () => {
    expect(areSame(RECORDING, RECORDING.slice(0, -1))).toBe(false)
    expect(areSame(RECORDING, [...RECORDING.slice(0, -1), message('server', 1, 'ErrorResponse')])).toBe(false)
    expect(areSame(RECORDING, [...RECORDING.slice(0, -1), message('server', 1, 'ReadyForQuery', { connection: 2 })])).toBe(false)
  })
})
