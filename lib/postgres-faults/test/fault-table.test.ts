import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { faults, faultTable } from '../src/matrix/fault-table.ts'

const ROOT = join(import.meta.dirname, '../../..')

it('stands in the README as the fault matrix has it', () => {
  expect(readFileSync(join(ROOT, 'README.md'), 'utf8')).toContain(`\n${faultTable()}\n`)
})

it('has every fault that is declared', () => {
  const declared = globSync(join(ROOT, 'lib/postgres-faults/src/matrix/rows/*.ts')).flatMap(file => [
    ...readFileSync(file, 'utf8').matchAll(/^ {2}fault: '(.*)',$/gm),
  ])
  expect(faults.map(({ fault }) => fault).sort()).toEqual(declared.map(([, fault]) => fault).sort())
})
