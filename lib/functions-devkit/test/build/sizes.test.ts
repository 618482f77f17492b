import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readSizes, recordCompositions } from '../../src/build/sizes.ts'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'sizes-'))))
afterEach(() => rmSync(folder, { recursive: true }))

describe('sizes without a file', () => {
  it('are an empty record with the default size to warn of', () => {
    expect(readSizes(join(folder, 'sizes.json'))).toEqual({ warnAbove: 2_500_000, functions: {} })
  })

  it('are recorded into a new file', () => {
    const file = join(folder, 'sizes.json')
    recordCompositions(file, new Map([['api/user', { pg: 5 }]]))
    expect(existsSync(file)).toBe(true)
    expect(readSizes(file)).toEqual({ warnAbove: 2_500_000, functions: { 'api/user': { packages: { pg: 5 } } } })
  })
})
