import { describe, expect, it } from 'vitest'
import { transcriptOf } from '../../src/cli/deploy/transcript.ts'
import { reasonOf } from '../../src/cli/doctl/reason.ts'

describe('what doctl says went wrong', () => {
  it.each([
    ['one line', '', 'Error: first\n', 'first'],
    ['a warning before it', '', 'Warning: deprecated\nError: first\n', 'first'],
    ['continuation lines', '', 'Error: first\nsecond\nthird\n', 'first; second; third'],
    ['an arrow before each', '', ' ›   Error: first\n ›   Error: second\n', 'first; second'],
    ['colours', '', '\u001b[31mError\u001b[0m: first\n', 'first'],
    ['no prefix', '', 'panic: first\n\ngoroutine 1\n', 'goroutine 1'],
    ['no text', '', '\n', 'doctl prints no reason'],
    ['JSON', '{"errors":[{"detail":"first\\nsecond"},{"detail":"third"}]}\n', '', 'first; second; third'],
    ['JSON over several lines', '{\n  "errors": [\n    {\n      "detail": "first"\n    }\n  ]\n}\n', '', 'first'],
    ['JSON with blanks', '{ "errors": [ { "detail": "first" } ] }\n', '', 'first'],
    ['JSON after other output', 'Deploying\n{"errors":[{"detail":"first"}]}\n', '', 'first'],
    ['JSON with other names', '{"errors":[{"message":"first"}]}\n', '', 'first'],
    ['JSON of texts', '{"errors":["first"]}\n', '', 'first'],
    ['JSON in an unknown form', '{"errors":[{"code":7}]}\n', '', '{"code":7}'],
    ['JSON without errors', '{"errors":null}\n', '', '{"errors":null}'],
  ])('is read from %s', (_form, stdout, stderr, reason) => {
    expect(reasonOf({ stdout, stderr })).toBe(reason)
  })

  it('is shown whole for a crash of doctl', () => {
    const result = { status: 2, stdout: '', stderr: 'panic: nil map\n\ngoroutine 1 [running]:\nmain.main()\n' }
    expect(transcriptOf(result)).toEqual({ lines: ['panic: nil map', 'goroutine 1 [running]:', 'main.main()'], failed: true })
  })

  it('is shown without JSON in the transcript', () => {
    const stdout = '{\n  "errors": [{ "detail": "first" }]\n}\n'
    expect(transcriptOf({ status: 1, stdout, stderr: '' })).toEqual({ lines: ['Error: first'], failed: true })
  })
})
