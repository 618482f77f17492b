import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { slackMessage, slackText } from '../../functions-ops/src/alerts/slack.ts'
import { asLine, asLines, readableJson } from '../src/foreign-text.ts'
import { exposition } from '../../functions-ops/src/health/metrics/exposition.ts'

/** Characters that a terminal, a chat or a log obeys, or does not show. */
const NASTY = [
  '\n',
  '\r',
  '\r\n',
  '\t',
  '\0',
  '\u0007',
  '\u001b[31m',
  '\u001b]8;;https://evil.example\u0007link\u001b]8;;\u0007',
  '\u009b2J',
  '\u0085',
  '\u2028',
  '\u2029',
  '\u202e',
  '\u2066',
  '\u200b',
  '\u200d',
  '\ufeff',
  '\u00ad',
  '\u3164',
  '\u115f',
  '\ufe0f',
  '\u{e0041}',
  '\u00a0',
  '\u3000',
  '\u2800',
  '\ud800',
  '\udc00',
  '\ue000',
  '\uffff',
  '\\',
  '\\n',
  '\\u{a}',
  '*bold*',
  '_it_',
  '~no~',
  '`code`',
  '```',
  '<https://evil.example|here>',
  '<!channel>',
  '<!here>',
  '<@U1>',
  '<#C1>',
  '@channel',
  '@here',
  '@everyone',
  '&lt;',
  '&',
  '>',
  '> quote',
  '[text](https://evil.example)',
  'https://evil.example/x',
  'mailto:a@b.example',
  'www.evil.example',
  ':boom:',
  'disk_full',
  '|',
  '{}',
  '"',
  'ä',
  '😀',
]
const nasty = fc
  .array(fc.oneof(fc.constantFrom(...NASTY), fc.string({ unit: 'binary', maxLength: 8 }), fc.string({ maxLength: 8 })), { maxLength: 12 })
  .map(parts => parts.join(''))

const UNSEEN = /[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/u

/** Reads the escapes back. */
function read(line: string): string {
  return line.replace(/\\(?:u\{([0-9a-f]+)\}|\\)/g, (_, code: string | undefined) =>
    code === undefined ? '\\' : String.fromCodePoint(Number.parseInt(code, 16)),
  )
}

function decode(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
}

describe('asLine', () => {
  it('is one line in which every character is seen, and reads back as what it was', () => {
    fc.assert(
      fc.property(nasty, text => {
        const line = asLine(text, { maxLength: 10_000 })
        expect(line).not.toMatch(UNSEEN)
        expect(read(line)).toBe(text)
      }),
      { numRuns: 2_000 },
    )
  })

  it('is never longer than it may be, and is cut between characters', () => {
    fc.assert(
      fc.property(nasty, fc.integer({ min: 1, max: 40 }), (text, maxLength) => {
        const line = asLine(text, { maxLength })
        expect(line.length).toBeLessThanOrEqual(maxLength)
        const isCut = line.endsWith('…') && !text.includes('…')
        expect(isCut ? text.startsWith(read(line.slice(0, -1))) : read(line) === text).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  it('leaves ordinary text as it is', () => {
    for (const text of ['partner/disk_full', 'Zahlung für 10,50 € – déjà vu', '取引が失敗した', '/data/items/0', 'a😀b'])
      expect(asLine(text)).toBe(text)
  })

  it('takes a long text without reading all of it', () => {
    expect(asLine('\u202e'.repeat(5_000_000)).length).toBeLessThanOrEqual(200)
  })

  it('keeps our own lines apart', () => {
    expect(asLines('a\u001b\nb\rc')).toBe('a\\u{1b}\nb\\u{d}c')
  })
})

describe('readableJson', () => {
  it('is JSON of the same value in which every character is seen', () => {
    fc.assert(
      fc.property(fc.dictionary(nasty, fc.oneof(nasty, fc.array(nasty))), value => {
        const json = readableJson(value)
        expect(json.replaceAll('\n', '')).not.toMatch(UNSEEN)
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
      { numRuns: 500 },
    )
  })
})

describe('slackText', () => {
  it('reads back as what it was, as Slack decodes it', () => {
    fc.assert(
      fc.property(nasty, text => {
        expect(read(decode(slackText(text, 10_000)))).toBe(text)
      }),
      { numRuns: 2_000 },
    )
  })

  it('has nothing in it that Slack or Markdown would format', () => {
    fc.assert(
      fc.property(nasty, text => {
        const shown = slackText(text, 10_000)
        expect(shown).not.toMatch(UNSEEN)
        expect(shown.replaceAll(/&(?:amp|lt|gt);/g, '')).not.toMatch(/[&<>*~`[\]|]/)
        expect(shown).not.toMatch(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/u)
        expect(shown).not.toMatch(/@[\p{L}\p{N}]|:\/\/|:[\w+'-]+:|mailto:|\bwww\./iu)
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([
    ['<!channel>', '&lt;!channel&gt;'],
    ['<https://evil.example|here>', '&lt;https\\u{3a}//evil.example\\u{7c}here&gt;'],
    ['*bold* _it_ ~no~ `x`', '\\u{2a}bold\\u{2a} \\u{5f}it\\u{5f} \\u{7e}no\\u{7e} \\u{60}x\\u{60}'],
    ['a\n[critical] b: c', 'a\\u{a}\\u{5b}critical\\u{5d} b: c'],
    ['@here disk_full', '\\u{40}here disk_full'],
    ['[a](b)', '\\u{5b}a\\u{5d}(b)'],
    ['_www.evil.example', '\\u{5f}www\\u{2e}evil.example'],
  ])('shows %j as it is', (text, expected) => {
    expect(slackText(text)).toBe(expected)
  })
})

describe('slackMessage', () => {
  const sender = { namespace: undefined }

  it('is one line whose beginning is ours, whatever the code and the summary are', () => {
    fc.assert(
      fc.property(nasty, nasty, (code, summary) => {
        const { text } = slackMessage({ state: 'raised', severity: 'critical', code, summary, observed: 3, threshold: 2 }, sender)
        expect(text).toMatch(/^\[critical\] [^\n]*: [^\n]* \(3, threshold 2\)$/)
        expect(String(text).length).toBeLessThan(5_000)
      }),
      { numRuns: 1_000 },
    )
  })

  it('asks Slack to look for no markup, names and addresses', () => {
    expect(slackMessage({ state: 'recovered', severity: 'info', code: 'retries-high', summary: 's' }, { namespace: 'fn-1' })).toEqual({
      text: '[recovered] retries-high: s in fn-1',
      mrkdwn: false,
      parse: 'none',
      link_names: false,
      unfurl_links: false,
      unfurl_media: false,
    })
  })
})

describe('a label of a metric', () => {
  it('is one value of one line, and reads back as what it was', () => {
    fc.assert(
      fc.property(nasty, label => {
        const lines = exposition([{ name: 'm', type: 'gauge', help: 'h', samples: [{ labels: { source: label }, value: 1 }] }]).split('\n')
        expect(lines).toHaveLength(4)
        const [, value = ''] = /^m\{source="((?:[^"\\]|\\[\\"n])*)"\} 1$/.exec(lines[2] ?? '') ?? []
        const parsed = value.replace(/\\([\\"n])/g, (_, character: string) => (character === 'n' ? '\n' : character))
        expect(parsed).toBe(asLine(label))
        expect(parsed).not.toMatch(UNSEEN)
      }),
      { numRuns: 1_000 },
    )
  })
})
