import { PassThrough } from 'node:stream'
import { beforeEach, describe, expect, test } from 'vitest'
import { followOutput, type Output, type OutputLine } from '../../../src/server/containers/output.ts'

const MARK = 'XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX\n'
let stdout: PassThrough
let stderr: PassThrough
let output: Output
let lines: OutputLine[]

beforeEach(() => {
  stdout = new PassThrough()
  stderr = new PassThrough()
  lines = []
  output = followOutput({ stdout, stderr }, line => lines.push(line))
})

const settle = () => new Promise(resolve => setImmediate(resolve))
const out = (line: string, activationId: string | undefined): OutputLine => ({ stream: 'stdout', line, activationId })

async function print(text: string | Buffer): Promise<void> {
  stdout.write(text)
  await settle()
}

describe('the output of a container', () => {
  test('is handed on line by line while the call runs', async () => {
    output.begin('one')
    await print('half ')
    expect(lines).toEqual([])
    await print('a line\nnext')
    expect(lines).toEqual([out('half a line', 'one')])
  })

  test('belongs to the call during which it comes, and before it', async () => {
    await print('loading\n')
    output.begin('one')
    await print(`first\n${MARK}late\n`)
    output.begin('two')
    await print(`second\n${MARK}`)
    expect(lines).toEqual([out('loading', 'one'), out('first', 'one'), out('late', 'two'), out('second', 'two')])
  })

  test('has ended with a mark on both streams', async () => {
    output.begin('one')
    let ended = false
    void output.callEnded().then(() => (ended = true))
    await print(MARK)
    expect(ended).toBe(false)
    stderr.write(MARK)
    await settle()
    expect(ended).toBe(true)
  })

  test('keeps characters whole that arrive in parts', async () => {
    output.begin('one')
    const bytes = Buffer.from('ö\n')
    await print(bytes.subarray(0, 1))
    await print(bytes.subarray(1))
    expect(lines).toEqual([out('ö', 'one')])
  })

  test('shows a line that the mark follows without a line end', async () => {
    output.begin('one')
    await print(`half${MARK}`)
    expect(lines).toEqual([out('half', 'one')])
  })

  test('is handed on to the end when the process is gone', async () => {
    output.begin('one')
    await print(`${MARK}Error: late\n${MARK}  at`)
    output.end()
    expect(lines).toEqual([out('Error: late', undefined), out('  at', undefined)])
    await output.callEnded()
  })

  test('holds as much between calls as the platform keeps', async () => {
    await print('x'.repeat(300 * 1024))
    output.begin('one')
    await print('\n')
    expect(lines.map(({ line }) => line.length)).toEqual([256 * 1024])
  })
})
