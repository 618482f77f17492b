import { expect, it } from 'vitest'
import { openLocalLog } from '../../src/server/local-log.ts'

const LINE = `${JSON.stringify({ level: 'error', event: 'invocation.failed', error: { type: 'TypeError', message: 'no' } })}\n`

function open(onTerminal: boolean) {
  const written: string[] = []
  const log = openLocalLog({
    checkout: import.meta.dirname,
    onTerminal,
    output: { write: line => void written.push(line) },
    print: text => void written.push(text),
  })
  return { log, written }
}

it('leaves lines as they are where no terminal reads them', () => {
  const { log, written } = open(false)
  log.write(LINE)
  expect(written).toEqual([LINE])
})

it('writes an error below its line on a terminal', () => {
  const { log, written } = open(true)
  log.write(LINE)
  expect(written).toEqual(['{"level":"error","event":"invocation.failed"}\n', '    TypeError: no\n'])
})

it.each(['{"event":"a"}\n', 'no JSON\n', '7\n', '{"error":"text"}\n'])('passes on %j, which has no error', line => {
  const { log, written } = open(true)
  log.write(line)
  expect(written).toEqual([line])
})
