import { expect, it } from 'vitest'
import { instantSchema } from '../src/content/instant.ts'

it.each([
  ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z'],
  ['2026-01-01T00:30:00.1239+01:00', '2025-12-31T23:30:00.123Z'],
  ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
])('the instant %s is read as %s', (text, read) => {
  expect(instantSchema.parse(text)).toBe(read)
})

it.each([
  '1969-12-31T23:59:59.999Z',
  '9999-12-31T23:59:59-01:00',
  '2026-02-30T00:00:00Z',
  '2026-01-01',
  '2026-01-01T00:00:00',
  ' 2026-01-01T00:00:00Z',
  '',
])('%j is no instant', text => {
  expect(instantSchema.safeParse(text).success).toBe(false)
})
