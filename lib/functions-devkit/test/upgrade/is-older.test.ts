import { expect, it } from 'vitest'
import { isOlder } from '../../src/upgrade/is-older.ts'

// Most are the order of Semantic Versioning 2.0.0, section 11.
const ORDER = [
  '0.9.0',
  '1.0.0-alpha',
  '1.0.0-alpha.1',
  '1.0.0-alpha.beta',
  '1.0.0-beta',
  '1.0.0-beta.2',
  'v1.0.0-beta.11',
  '1.0.0-rc.1',
  '1.0.0',
  'v1.2.0',
  '1.10.0+build.5',
  '2.0.0',
]

it('orders versions as Semantic Versioning does', () => {
  for (const [index, version] of ORDER.entries())
    for (const [against, other] of ORDER.entries()) expect([version, other, isOlder(version, other)]).toEqual([version, other, index < against])
})

it.each([
  ['main', '1.0.0'],
  ['1.0.0', 'an unknown version'],
  ['1.0', '2.0.0'],
  ['v1.0.0', '1.0.0'],
])('%s is not older than %s', (version, other) => {
  expect(isOlder(version, other)).toBe(false)
})
