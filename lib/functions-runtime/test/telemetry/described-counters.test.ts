import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { counters } from '../../../functions-devkit/test/application/lib/app/counters.ts'

const root = resolve(import.meta.dirname, '../../../..')

it('everything that is counted is described once, and nothing else is', () => {
  const files = globSync(['lib/*/src/**/*.ts', 'lib/app/**/*.ts', 'packages/*/*/index.ts'], { cwd: root })
  const counted = files.flatMap(file =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/\bcounters\??\.add\(\s*'([^']+)'/g)].map(([, name]) => name),
  )
  expect(counted.length).toBeGreaterThan(10)
  expect(counters.map(({ name }) => name).sort()).toEqual([...new Set(counted)].sort())
  expect(new Set(counters.map(({ metric }) => metric)).size).toBe(counters.length)
})
