import { expect, it } from 'vitest'
import { readPlatform } from '../../src/settings/platform.ts'

it('reads what the platform sets', () => {
  expect(readPlatform({ __OW_DEADLINE: '1700000000000', __OW_ACTIVATION_ID: 'a1' })).toMatchObject({
    deadlineAt: 1_700_000_000_000,
    activationId: 'a1',
  })
})

it.each([undefined, '', 'soon'])('knows no deadline from %j', value => {
  expect(readPlatform({ __OW_DEADLINE: value }).deadlineAt).toBeUndefined()
})
