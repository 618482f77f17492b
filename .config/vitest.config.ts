import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

const common = { testTimeout: 60_000, hookTimeout: 60_000, sequence: { shuffle: true } }

export default defineConfig({
  test: {
    globalSetup: ['lib/functions-devkit/test/support/global-setup.ts'],
    // Two cores: more workers than that only wait for each other.
    maxWorkers: 2,
    projects: [
      // The tests of the packages bring their own application.
      {
        test: {
          ...common,
          name: 'packages',
          include: ['lib/*/test/**/*.test.ts'],
          env: { APPLICATION_FOLDER: resolve(import.meta.dirname, '../lib/functions-devkit/test/application') },
        },
      },
      // Those of the application, which run all day, and those that take longer.
      { test: { ...common, name: 'app', include: ['test/**/*.test.ts'], exclude: ['test/{adoption,bundle,chaos,repository}/**'] } },
      {
        test: {
          ...common,
          name: 'deployment',
          include: ['test/{bundle,chaos,repository}/**/*.test.ts'],
        },
      },
      { test: { ...common, name: 'adoption', include: ['test/adoption/**/*.test.ts'], globalSetup: ['test/support/adoption/folder.ts'] } },
    ],
  },
})
