import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '../../..')

/** What is loaded when a file is: its imports, without those of types, and theirs. */
function loadedBy(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?!type\b)[^;]*?from '([^']+)'/gm)) {
    if (specifier.startsWith('.')) loadedBy(join(dirname(file), specifier), seen)
    else seen.add(specifier)
  }
  return seen
}

it('verifying a signature loads nothing of the database', () => {
  const schemes = globSync('lib/webhook-inbox/src/verify/schemes/*.ts', { cwd: root })
  expect(schemes.length).toBeGreaterThan(6)
  const files = [
    ...schemes,
    'lib/webhook-inbox/src/verify/source-settings.ts',
    'lib/functions-devkit/test/application/lib/app/webhooks/sources.ts',
    'lib/webhook-inbox/src/verify/verify-delivery.ts',
    'lib/webhook-inbox/src/inbox/read-event.ts',
  ]
  const loaded = new Set(files.flatMap(file => [...loadedBy(join(root, file))].map(one => (one.startsWith('/') ? relative(root, one) : one))))
  // Handlers name tables in their statements; that file loads nothing else.
  expect([...loaded].filter(one => /^lib\/functions-runtime\/src\/database\/(?!sql\.ts$)/.test(one) || ['sequelize', 'pg'].includes(one))).toEqual([])
  // Otherwise the test would read nothing.
  expect([...loadedBy(join(root, 'lib/webhook-inbox/src/inbox/receive.ts'))]).toContain(join(root, 'lib/webhook-inbox/src/inbox/claim.ts'))
  expect([...loaded]).toEqual(expect.arrayContaining(['node:crypto', 'lib/functions-runtime/src/database/sql.ts']))
})
