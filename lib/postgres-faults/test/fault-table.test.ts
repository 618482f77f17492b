import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { faults } from '../src/matrix/fault-table.ts'

const ROWS = join(import.meta.dirname, '../src/matrix/rows')

it('the fault matrix has every fault that is declared', () => {
  const declared = globSync(join(ROWS, '*.ts')).flatMap(file => [...readFileSync(file, 'utf8').matchAll(/^ {2}fault: '(.*)',$/gm)])
  expect(faults.map(({ fault }) => fault).sort()).toEqual(declared.map(([, fault]) => fault).sort())
})
