import { describe, expect, it } from 'vitest'
import { readEnvironmentFile } from '../../../doctl-project-schema/src/index.ts'
import { integer, optionalText, requiredText, textOr } from '../../../functions-runtime/src/settings/schemas.ts'
import { defineSettings, settled, setting } from '../../../functions-runtime/src/settings/settings.ts'
import { syncDocumentation } from '../../src/sync/documentation.ts'

const group = defineSettings(
  {
    GREETING: setting(textOr('Hello # all'), 'how users are greeted: `Hello | Servus`,\n  and the like'),
    RETRIES: setting(integer({ min: 0, max: 9, fallback: 3 }), 'retries'),
    ACME_SECRET: setting(optionalText(), 'what the sender signs with', { fallback: 'the source is off' }),
    LICENCE: setting(requiredText(), 'the licence'),
    PLAIN: optionalText(),
  },
  values => values,
)
const { documentation = {} } = group

const README = '# A\n\n<!-- settings: written by `npm run sync`, do not edit -->\nold\n<!-- end of settings -->\n\nmore\n'
const EXAMPLE = `A=1
# --- Settings of the application: written by npm run sync, do not edit ---
OLD=1
# --- End of the settings of the application ---
B=2
`

describe('the documentation of settings', () => {
  it('is a table in the README, sorted by name', () => {
    expect(syncDocumentation('README.md', README, documentation)).toBe(`# A

<!-- settings: written by \`npm run sync\`, do not edit -->

| variable | meaning | default |
| --- | --- | --- |
| \`ACME_SECRET\` | what the sender signs with | the source is off |
| \`GREETING\` | how users are greeted: \`Hello \\| Servus\`, and the like | Hello # all |
| \`LICENCE\` | the licence | has to be set |
| \`RETRIES\` | retries | 3 |

<!-- end of settings -->

more
`)
  })

  it('is assignments in .env.example, each with a value that doctl takes', () => {
    const text = syncDocumentation('.env.example', EXAMPLE, documentation)
    expect(text).toContain(
      '# What the sender signs with\nACME_SECRET=none\n# How users are greeted: Hello | Servus, and the like\nGREETING="Hello # all"\n',
    )
    expect(readEnvironmentFile(text)).toEqual({ A: '1', ACME_SECRET: 'none', GREETING: 'Hello # all', LICENCE: 'none', RETRIES: '3', B: '2' })
  })

  it('written twice is the same text', () => {
    for (const [file, text] of [
      ['README.md', README],
      ['.env.example', EXAMPLE],
    ] as const) {
      const once = syncDocumentation(file, text, documentation)
      expect(syncDocumentation(file, once, documentation)).toBe(once)
    }
  })

  it('leaves out a variable that the rest of the file has', () => {
    expect(syncDocumentation('.env.example', `RETRIES=1\n${EXAMPLE}`, documentation).match(/^RETRIES=/gm)).toHaveLength(1)
    const table = '| `GREETING`, `RETRIES` | words | |\n'
    expect(syncDocumentation('README.md', `${README}${table}`, documentation).match(/`RETRIES`/g)).toHaveLength(1)
  })

  it('keeps line ends of Windows', () => {
    const text = syncDocumentation('.env.example', EXAMPLE.replaceAll('\n', '\r\n'), documentation)
    expect(text).toContain('RETRIES=3\r\n')
    expect(text.replaceAll('\r\n', '')).not.toContain('\n')
  })

  it('is left out where the marks are missing', () => {
    expect(syncDocumentation('README.md', '# A\n', documentation)).toBe('# A\n')
    expect(syncDocumentation('.env.example', EXAMPLE.replace('# --- End', '# End'), documentation)).toContain('OLD=1')
  })

  it('is that of a tolerant group, too', () => {
    expect(settled(group).documentation).toEqual(documentation)
    expect(Object.keys(documentation)).not.toContain('PLAIN')
  })
})
