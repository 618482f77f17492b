import { describe, expect, it } from 'vitest'
import { entriesOf } from '../../src/buffer/stream-entry.ts'

describe('entriesOf', () => {
  it('leaves out an entry that was deleted while it was read', () => {
    // Redis before 7.0 answers XAUTOCLAIM with nil for it, as often as it is asked.
    const fields = ['entry', 'content', 'size', '207'].map(text => Buffer.from(text))
    expect(entriesOf([null, [Buffer.from('5-0'), fields], null])).toEqual([
      { id: '5-0', entry: Buffer.from('content'), size: '207', reason: '', first: '5-0' },
    ])
  })
})
