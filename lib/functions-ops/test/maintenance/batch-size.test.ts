import { describe, expect, it } from 'vitest'
import { createBatchSize } from '../../src/maintenance/batch-size.ts'

describe('the size of a batch', () => {
  it('stays at the most as long as batches are fast', () => {
    const size = createBatchSize({ most: 800 })
    size.took(20)
    expect(size.rows).toBe(800)
  })

  it('halves after a slow batch, rests at what is neither slow nor fast, and doubles after a fast one', () => {
    const size = createBatchSize({ most: 800 })
    const after = [501, 501, 500, 100, 99, 99, 99].map(ms => (size.took(ms), size.rows))
    expect(after).toEqual([400, 200, 200, 200, 400, 800, 800])
  })

  it('falls to an eighth when a batch was cut off, never below one row, and says when there is nothing smaller', () => {
    const size = createBatchSize({ most: 100 })
    const after = [0, 1, 2, 3].map(() => [size.cutOff(), size.rows])
    expect(after).toEqual([
      [true, 12],
      [true, 1],
      [false, 1],
      [false, 1],
    ])
  })

  it('never takes no row at all', () => {
    const size = createBatchSize({ most: 1 })
    size.took(10_000)
    expect(size.rows).toBe(1)
  })
})
