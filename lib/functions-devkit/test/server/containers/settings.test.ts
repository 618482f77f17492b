import { describe, expect, test } from 'vitest'
import { readContainerSettings } from '../../../src/server/containers/settings.ts'

describe('the settings of containers', () => {
  test('are as the platform does it, with fewer containers', () => {
    expect(readContainerSettings({ LOCAL_CONTAINERS: ' ' })).toEqual({ max: 10, maxCalls: 120, pauseAfterMs: 50, destroyAfterMs: 600_000 })
  })

  test('take what is set', () => {
    const set = { LOCAL_CONTAINERS: '3', LOCAL_PAUSE_AFTER_MS: '0', LOCAL_DESTROY_AFTER_MS: '1000' }
    expect(readContainerSettings(set)).toEqual({ max: 3, maxCalls: 120, pauseAfterMs: 0, destroyAfterMs: 1_000 })
  })

  test.each([
    ['LOCAL_CONTAINERS', '0', 'LOCAL_CONTAINERS has to be a whole number from 1 to 120, not 0'],
    ['LOCAL_CONTAINERS', '121', 'LOCAL_CONTAINERS has to be a whole number from 1 to 120, not 121'],
    ['LOCAL_PAUSE_AFTER_MS', '1.5', 'LOCAL_PAUSE_AFTER_MS has to be a whole number from 0 to 86400000, not 1.5'],
    ['LOCAL_DESTROY_AFTER_MS', 'never', 'LOCAL_DESTROY_AFTER_MS has to be a whole number from 0 to 86400000, not never'],
  ])('refuse %s=%s', (name, value, message) => {
    expect(() => readContainerSettings({ [name]: value })).toThrow(message)
  })
})
