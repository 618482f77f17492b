import { expect, it } from 'vitest'
import { cruise } from '../../lib/functions-devkit/test/support/cruise.ts'
import { REPOSITORY } from '../../lib/functions-devkit/test/support/tested-application.ts'

it('no import of this repository breaks a rule', () => {
  const { modules, summary } = cruise(REPOSITORY)
  expect(summary.violations).toEqual([])
  const importsOf = (file: string) => modules.find(({ source }) => source === file)?.dependencies.map(({ resolved }) => resolved)
  expect(importsOf('lib/resilient-sequelize/src/wire/assert-internals.ts')).toContain('lib/invocation/src/errors.ts')
  expect(importsOf('packages/ops/migrate/index.ts')).toContain('lib/app/migrations/index.ts')
  const importers = modules
    .filter(({ dependencies }) => dependencies.some(({ resolved }) => resolved.startsWith('lib/app/')))
    .map(({ source }) => source)
  expect(importers.filter(file => file.startsWith('lib/') && !/^lib\/(app|[^/]+\/test)\//.test(file)).sort()).toEqual([])
})
