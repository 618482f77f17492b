import { pino } from 'pino'
import { expect, it } from 'vitest'
import { createLogger, withShownErrors } from '../../src/telemetry/logger.ts'

const error = new Error('for "ann"')

function gather() {
  const lines: string[] = []
  return { lines, destination: { write: (line: string) => void lines.push(line) } }
}

it('redacts errors by default', () => {
  const { lines, destination } = gather()
  createLogger({ name: 'test', level: 'info', destination }).error({ error })
  expect(lines[0]).toContain('for [value]')
  expect(lines[0]).not.toContain('ann')
})

it('keeps how a logger of ours and its children show errors', () => {
  const { lines, destination } = gather()
  const logger = createLogger({ name: 'test', level: 'info', destination, showError: thrown => ({ whole: String(thrown) }) })
  withShownErrors(logger.child({ requestId: '1' })).error({ error })
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ error: { whole: 'Error: for "ann"' } })
})

it('redacts the errors of any other logger of pino', () => {
  const { lines, destination } = gather()
  withShownErrors(pino({}, destination)).error({ error })
  expect(lines[0]).toContain('for [value]')
  expect(lines[0]).not.toContain('ann')
})
