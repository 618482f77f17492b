import { describe, expect, it } from 'vitest'
import { compositionOf, growthSince } from '../../src/build/composition.ts'

describe('the composition of a bundle', () => {
  it('is counted by package, wherever the package lies, with what is ours and what is left over', () => {
    const inputs = {
      'lib/functions-runtime/src/edge/http-errors.ts': { bytesInOutput: 10 },
      'packages/api/user/index.ts': { bytesInOutput: 5 },
      'node_modules/pg/lib/client.js': { bytesInOutput: 100 },
      'node_modules/pg/lib/query.js': { bytesInOutput: 50 },
      '../elsewhere/node_modules/@scope/name/index.js': { bytesInOutput: 20 },
      'node_modules/@scope/name/node_modules/pg/index.js': { bytesInOutput: 30 },
      'node_modules/left-out/index.js': { bytesInOutput: 0 },
    }
    expect(Object.entries(compositionOf({ bytes: 220, inputs }, 270))).toEqual([
      ['pg', 180],
      ['other files', 50],
      ['@scope/name', 20],
      ['own code', 15],
      ['glue', 5],
    ])
  })
})

describe('the growth of a bundle', () => {
  it('lists what has more bytes or is new, the largest growth first', () => {
    const recorded = { pg: 100, zod: 50, gone: 10, same: 5 }
    expect(growthSince(recorded, { pg: 110, zod: 40, same: 5, fresh: 30 })).toEqual([
      { name: 'fresh', before: undefined, now: 30 },
      { name: 'pg', before: 100, now: 110 },
    ])
  })

  it('is everything when nothing was recorded', () => {
    expect(growthSince(undefined, { pg: 1 })).toEqual([{ name: 'pg', before: undefined, now: 1 }])
  })
})
