import { expect, it } from 'vitest'
import { createTypeReader } from '../../src/server/types/type-lines.ts'

const MISTAKE = "packages/api/user/index.ts(12,7): error TS2322: Type 'string' is not assignable to type 'number'."
const ended = (errors: number) => `10:00:00 AM - Found ${errors} error${errors === 1 ? '' : 's'}. Watching for file changes.`

function read(...lines: string[]): string[] {
  const printed: string[] = []
  const take = createTypeReader(text => void printed.push(text))
  for (const line of lines) take(line)
  return printed
}

it('says nothing while there are no errors', () => {
  expect(read('10:00:00 AM - Starting compilation in watch mode...', '', ended(0), ended(0))).toEqual([])
})

it('prints errors with file and line once, and that they are gone', () => {
  const mistake = "packages/api/user/index.ts:12: error TS2322: Type 'string' is not assignable to type 'number'."
  expect(read(MISTAKE, '  A second line.', '', ended(1), MISTAKE, '  A second line.', ended(1), ended(0), ended(0))).toEqual([
    `${mistake}\n  A second line.`,
    'types: no errors',
  ])
})

it('prints an error that belongs to no file', () => {
  expect(read('error TS18003: No inputs were found.', '11:00:00 - Found 1 error. Watching for file changes.')).toEqual([
    'tsconfig.json: error TS18003: No inputs were found.',
  ])
})
