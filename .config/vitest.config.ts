import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'lib/*/test/**/*.test.ts'],
    globalSetup: ['lib/functions-devkit/test/support/global-setup.ts', 'test/support/adoption/folder.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    sequence: { shuffle: true },
    // Two cores: more workers than that only wait for each other.
    maxWorkers: 2,
  },
})
