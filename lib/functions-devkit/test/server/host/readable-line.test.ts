import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import pretty from 'pino-pretty'
import { describe, expect, it } from 'vitest'
import { createLogger } from '../../../../functions-runtime/src/telemetry/logger.ts'
import { READABLE } from '../../../src/server/host/log-output.ts'
import { readableLine } from '../../../src/server/host/readable-line.ts'

/** What a terminal gets of one call of the logger. */
async function shown(write: (logger: ReturnType<typeof createLogger>) => void): Promise<string> {
  const lines: string[] = []
  write(createLogger({ name: 'test', level: 'info', destination: { write: line => void lines.push(line) } }))
  const output = new PassThrough()
  const terminal = pretty({ ...READABLE, destination: output, colorize: false })
  for (const line of lines) terminal.write(readableLine(line))
  terminal.end()
  return text(output)
}

describe('a line of the log on a terminal', () => {
  it.each(['evt\n[12:00:00.000] ERROR: host forged', '\u001b[2J\u001b]0;title\u0007', '\u009b31m', 'a\u202eb\u200bc', '\u2028x'])(
    'shows %j as one line, in fields, messages and events',
    async foreign => {
      const out = await shown(logger => logger.warn({ event: foreign, eventId: foreign, invalidPaths: [foreign], [foreign]: 1 }, foreign))
      expect(out.trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      expect(out).toContain('WARN')
    },
  )

  it('is bounded whatever is logged', async () => {
    const out = await shown(logger => logger.warn({ event: 'x', type: 'a'.repeat(1_000_000) }))
    expect(out.length).toBeLessThan(5_000)
  })

  it('keeps what is no JSON as one line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), given => {
        expect(readableLine(given).trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      }),
    )
  })
})
