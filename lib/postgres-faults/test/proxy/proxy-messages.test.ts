import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MessageSplitter } from '../../src/proxy/messages.ts'
import { StatementReader } from '../../src/proxy/statements.ts'

/** A message: its letter, its length without the letter, its body. */
function message(type: string, body = ''): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(4 + Buffer.byteLength(body))
  return Buffer.concat([Buffer.from(type), length, Buffer.from(body)])
}

const query = (text: string) => message('Q', `${text}\0`)
const parse = (name: string, text: string) => message('P', `${name}\0${text}\0\0\0`)
const bind = (name: string) => message('B', `\0${name}\0${'\0'.repeat(6)}`)
const sync = message('S')

describe('cutting a stream into messages', () => {
  test('does not depend on how the stream is divided', () => {
    const messages = [query('BEGIN'), parse('one', "SELECT 'ü', $1"), bind('one'), message('E', '\0'.repeat(5)), sync, message('X')]
    const stream = Buffer.concat(messages)
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length)), cuts => {
        const borders = [0, ...cuts.toSorted((a, b) => a - b), stream.length]
        const splitter = new MessageSplitter()
        const found = borders.slice(1).flatMap((end, index) => splitter.split(stream.subarray(borders[index], end)))
        expect(found.map(({ bytes }) => bytes)).toEqual(messages)
        expect(found.map(({ type }) => type).join('')).toBe('QPBESX')
      }),
    )
  })
})

describe('reading statements', () => {
  function statementsOf(...sent: Buffer[]): (string | undefined)[] {
    const reader = new StatementReader()
    return new MessageSplitter().split(Buffer.concat(sent)).map(message => reader.read(message))
  }

  test('takes a Bind right behind its Parse for the same statement', () => {
    expect(statementsOf(parse('', 'SELECT 1'), bind(''), sync)).toEqual(['SELECT 1', undefined, undefined])
  })

  test('takes a Bind in a later flight, and a second one, for statements of their own', () => {
    expect(statementsOf(parse('one', 'SELECT 1'), sync, bind('one'))).toEqual(['SELECT 1', undefined, 'SELECT 1'])
    expect(statementsOf(parse('one', 'SELECT 1'), bind('one'), bind('one'))).toEqual(['SELECT 1', undefined, 'SELECT 1'])
  })

  test('takes a Query with several statements for one', () => {
    expect(statementsOf(query('SELECT 1; COMMIT'))).toEqual(['SELECT 1; COMMIT'])
  })
})
