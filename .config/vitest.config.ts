import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'lib/*/test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts', 'test/support/adoption/folder.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    sequence: { shuffle: true },
    // On two cores: a third of the time is spent waiting, for a deadline or for a server.
    maxWorkers: 3,
  },
})
