import { describe, expect, it } from 'vitest'
import { functionsOf, parseProject, placeholderEnvironment } from '../../../doctl-project-schema/src/index.ts'
import { deploymentOf, type DeploymentOptions } from '../../../functions-runtime/src/edge/deployment.ts'
import { syncProjectFile } from '../../src/sync/project-file.ts'

const HEAD = '# yaml-language-server: $schema=a.json\n# Words.\n'
const HELLO = `      # About hello.
      - name: hello
        runtime: nodejs:24
        web: raw
        limits: { timeout: 10000, memory: 256 }
        environment:
          <<: $(LOG_LEVEL GREETING)
`
const TEXT = `${HEAD}packages:
  - name: api
    functions:
${HELLO}`

const deployment = (changes: Partial<DeploymentOptions> = {}) =>
  deploymentOf({ name: 'api/hello', web: true, variables: ['GREETING', 'LOG_LEVEL'], ...changes })
const sync = (text: string, changes: Partial<DeploymentOptions> = {}) => syncProjectFile(text, [deployment(changes)], new Set())
const functionIn = (text: string, name = 'api/hello') =>
  functionsOf(parseProject(text, placeholderEnvironment(text))).find(({ qualifiedName }) => qualifiedName === name)

describe('project.yml', () => {
  it.each([
    ['one reference', TEXT],
    ['a list of references', TEXT.replace('$(LOG_LEVEL GREETING)', '\n            - $(GREETING)\n            - $(LOG_LEVEL)')],
    ['variables written out', TEXT.replace('<<: $(LOG_LEVEL GREETING)', '<<: $(LOG_LEVEL)\n          GREETING: "Salut, ${NAME}"')],
    [
      'variables of the package',
      TEXT.replace('    functions:', '    environment:\n      <<: $(GREETING)\n    functions:').replace(' GREETING)', ')'),
    ],
    ['limits of its own, as long as the definition has none', TEXT.replace('timeout: 10000', 'timeout: 5000')],
    [
      'triggers of its own, as long as the definition has none',
      `${TEXT}        triggers:\n          - name: daily\n            type: SCHEDULED\n            scheduledDetails: { cron: "0 3 * * *" }\n`,
    ],
  ])('stays as it is with %s', (_, text) => {
    expect(sync(text)).toEqual({ text, changes: [] })
  })

  it('gets one line for each variable, and keeps comments and unknown keys', () => {
    const before = TEXT.replace('        limits:', '        annotations: { final: true }\n        limits:')
    const { text, changes } = sync(before, { variables: ['GREETING', 'FRESH'] })
    expect(changes).toEqual(['api/hello gets FRESH', 'api/hello no longer gets LOG_LEVEL'])
    expect(text).toBe(before.replace(' $(LOG_LEVEL GREETING)', '\n            - $(GREETING)\n            - $(FRESH)'))
    expect(Object.keys(functionIn(text)?.environment ?? {})).toEqual(['GREETING', 'FRESH'])
  })

  it('keeps variables that are written out, whether or not they are read', () => {
    const { text } = sync(TEXT.replace('<<: $(LOG_LEVEL GREETING)', 'TZ: UTC\n          <<: $(LOG_LEVEL)'))
    expect(functionIn(text)?.environment).toEqual({ TZ: 'UTC', GREETING: expect.any(String) as string, LOG_LEVEL: expect.any(String) as string })
  })

  it('gets the block of a new function in its package', () => {
    const { text, changes } = syncProjectFile(
      TEXT,
      [
        deployment(),
        deploymentOf({ name: 'api/orders', web: true, variables: ['API_KEYS'] }),
        deploymentOf({ name: 'jobs/nightly', web: false, variables: [] }),
      ],
      new Set(),
    )
    expect(changes).toEqual(['api/orders is new', 'jobs/nightly is new'])
    expect(text).toBe(`${TEXT}      - name: orders
        runtime: nodejs:24
        web: raw
        limits: { timeout: 10000, memory: 256 }
        environment:
          <<:
            - $(API_KEYS)
  - name: jobs
    functions:
      - name: nightly
        runtime: nodejs:24
        web: false
        limits: { timeout: 60000, memory: 256 }
`)
    expect(syncProjectFile(text, [deployment()], new Set()).changes).toEqual([])
  })

  it('loses the block of a function that is gone, and a package without functions', () => {
    const { text } = sync(TEXT)
    const more = syncProjectFile(text, [deployment(), deploymentOf({ name: 'jobs/nightly', web: false, variables: [] })], new Set()).text
    expect(syncProjectFile(more, [deployment()], new Set(['jobs/nightly']))).toEqual({ text: TEXT, changes: ['jobs/nightly is gone'] })
  })

  it('gets limits and access that the definition states, and keeps other limits', () => {
    const before = TEXT.replace('memory: 256 }', 'memory: 256, logs: 10 }')
    const { text, changes } = sync(before, { limits: { timeoutMs: 20_000 }, web: false })
    expect(changes).toEqual(['api/hello is private', 'api/hello may take 20000 ms and 256 MB'])
    expect(functionIn(text)).toMatchObject({ web: false, limits: { timeout: 20_000, memory: 256, logs: 10 } })
  })

  it('gets schedules with a body, and keeps a trigger switched off', () => {
    const schedules = [
      { name: 'hello-daily', cron: '*/5 3 * * *' },
      { name: 'hello-weekly', cron: '0 0 * * 0', body: { task: 'sum', rows: 2 } },
    ]
    const { text, changes } = sync(TEXT, { schedules })
    expect(changes).toEqual(['api/hello runs by hello-daily, hello-weekly'])
    expect(functionIn(text)?.triggers).toEqual([
      { name: 'hello-daily', enabled: true, cron: '*/5 3 * * *', body: { source: 'schedule', task: 'hello' } },
      { name: 'hello-weekly', enabled: true, cron: '0 0 * * 0', body: { task: 'sum', rows: 2 } },
    ])
    expect(text).toContain('cron: "*/5 3 * * *"')
    expect(sync(text, { schedules }).changes).toEqual([])
    const off = text.replace('enabled: true', 'enabled: false')
    const moved = sync(off, { schedules: [{ name: 'hello-daily', cron: '0 4 * * *' }] })
    expect(functionIn(moved.text)?.triggers).toMatchObject([{ enabled: false, cron: '0 4 * * *' }])
    expect(functionIn(sync(text, { schedules: [] }).text)?.triggers).toEqual([])
  })

  it('leaves sequences, images and functions without a definition alone', () => {
    const others =
      '      - name: chain\n        web: false\n        sequence: [ hello, hello ]\n      - name: own\n        runtime: nodejs:24\n        web: false\n'
    const text = `${TEXT}${others}`
    expect(sync(text)).toEqual({ text, changes: [] })
    expect(sync(text, { variables: [] }).text).toContain(others)
  })

  it('keeps text that a line width would break', () => {
    const long = `${'word '.repeat(40)}end`
    const { text } = sync(TEXT.replace('web: raw', `web: raw\n        parameters: { note: ${long} }`), { variables: ['GREETING'] })
    expect(text).toContain(`note: ${long}`)
  })

  it('keeps what an alias merges, alone or in a list', () => {
    const alone = TEXT.replace('environment:\n          <<: $(LOG_LEVEL GREETING)', 'environment:\n          <<: *common').replace(
      'packages:',
      'environment: &common { LOG_LEVEL: debug }\npackages:',
    )
    const { text } = sync(alone)
    expect(text).toContain('          <<:\n            - *common\n            - $(GREETING)\n')
    expect(sync(text).changes).toEqual([])
    const whole = alone.replace('environment:\n          <<: *common', 'environment: *common')
    expect(sync(whole).text).toContain('          <<:\n            - *common\n            - $(GREETING)\n')
  })

  it('keeps comments of variables and triggers that stay', () => {
    const schedules = [{ name: 'daily', cron: '0 3 * * *' }]
    const { text } = sync(TEXT, { schedules, variables: ['GREETING', 'OLD'] })
    const commented = text.replace('- $(GREETING)', '- $(GREETING) # hello').replace('type: SCHEDULED', 'type: SCHEDULED # of the platform')
    const changed = sync(commented, { schedules: [{ name: 'daily', cron: '0 4 * * *' }], variables: ['GREETING', 'FRESH'] }).text
    expect(changed).toContain('- $(GREETING) # hello\n            - $(FRESH)\n')
    expect(changed).toMatch(/type: SCHEDULED # of the platform\n[^]*cron: "0 4 \* \* \*"/)
  })

  it('keeps the other limit when a definition states one', () => {
    const before = TEXT.replace('memory: 256', 'memory: 1024')
    expect(functionIn(sync(before, { limits: { timeoutMs: 9000 } }).text)).toMatchObject({ limits: { timeout: 9000, memory: 1024 } })
  })

  it('moves the block of a function that has another package or name now', () => {
    const before = TEXT.replace('        limits:', '        annotations: { final: true }\n        limits:').replace('memory: 256', 'memory: 1024')
    for (const name of ['crm/hello', 'api/greet']) {
      const moved = syncProjectFile(before, [deployment({ name })], new Set(['api/hello']))
      expect(moved.changes).toEqual([`api/hello is now ${name}`])
      expect(functionIn(moved.text, name)).toMatchObject({ limits: { memory: 1024 } })
      expect(moved.text).toContain('annotations: { final: true }')
    }
  })

  it('says what is lost with a block that is gone', () => {
    const before = `${TEXT}      - name: other\n        runtime: nodejs:24\n        web: false\n        annotations: { final: true }\n        environment: { TZ: UTC }\n`
    expect(syncProjectFile(before, [deployment()], new Set(['api/other'])).changes).toEqual([
      'api/other is gone, and what its block had of its own: annotations, TZ',
    ])
  })

  it('is refused with a sentence when a block that goes has an anchor of others', () => {
    const more = '      - name: other\n        runtime: nodejs:24\n        web: false\n        limits: *few\n'
    const before = `${TEXT.replace('limits: {', 'limits: &few {')}${more}`
    expect(() => syncProjectFile(before, [], new Set(['api/hello']))).toThrow(
      'has an alias *few of something in a block that changes. Move the anchor &few',
    )
  })

  it.each([
    ['a schedule', { schedules: [{ name: 'daily', cron: '*/5 * * *' }] }],
    ['a limit', { limits: { timeoutMs: -5 } }],
    [
      'two triggers of one name',
      {
        schedules: [
          { name: 'daily', cron: '0 3 * * *' },
          { name: 'daily', cron: '0 4 * * *' },
        ],
      },
    ],
  ])('refuses %s that the platform refuses, and names the source', (_, changes) => {
    expect(() => sync(TEXT, changes)).toThrow(/^packages\/api\/hello\/index\.ts: /)
  })

  it('keeps line ends of Windows', () => {
    const { text } = sync(TEXT.replaceAll('\n', '\r\n'), { variables: ['GREETING'] })
    expect(text.replaceAll('\r\n', '')).not.toContain('\n')
    expect(Object.keys(functionIn(text)?.environment ?? {})).toEqual(['GREETING'])
  })

  it('that is not valid is refused with its place', () => {
    expect(() => sync(TEXT.replace('web: raw', 'web: open'))).toThrow(/^project\.yml:9:/)
  })
})

describe('a function', () => {
  it.each(['hello', 'api/', '/hello', 'api/hello/there', 'api/hel lo', ''])('named %j is refused', name => {
    expect(() => deployment({ name })).toThrow(/named <package>\/<function>/)
  })
})
