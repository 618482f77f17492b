import { describe, expect, it } from 'vitest'
import { readProjectFile } from '../../src/parse-project.ts'
import { parseProject } from '../../src/parse-project.ts'
import { findWarnings } from '../../src/warnings/find-warnings.ts'
import { memoryForBundle } from '../../src/warnings/memory.ts'
import { type Edit, edited, inFunction, inPackage, inProject, VALID_ENVIRONMENT, VALID_PROJECT } from '../valid-project.ts'

const PRIVATE: Edit = ['packages:', 'packages:']

/** The warnings of the valid project after one change, as name and place; those that it has anyway are left out. */
function warningsOf(edit: Edit = PRIVATE, bundleBytes: Record<string, number> = {}): string[] {
  const file = readProjectFile(edited(edit), VALID_ENVIRONMENT)
  return findWarnings(file, { bundleBytes })
    .filter(({ name }) => !/^public-without-authentication:api/.test(name))
    .map(({ name, line, path }) => `${name} ${line} ${path}`)
}

describe('a public function', () => {
  it('is named when the platform asks its callers for no secret', () => {
    const warnings = findWarnings(parseProject(VALID_PROJECT, VALID_ENVIRONMENT))
    expect(warnings.map(({ name }) => name)).toEqual(['public-without-authentication:api/webhook', 'public-without-authentication:api/health'])
    expect(warningsOf(['web: false', 'web: true'])).toContain('public-without-authentication:ops/migrate 25 packages[1].functions[0].web')
  })

  it('is not named when it has a secret', () => {
    const secured: Edit = ['        web: false\n', '        web: raw\n        webSecure: s3cret\n']
    expect(warningsOf([secured[0], secured[1]])).toEqual(['slow-public:ops/migrate 27 packages[1].functions[0].limits.timeout'])
  })

  it('is named although webSecure stands there, if it is false', () => {
    expect(warningsOf(['web: false', 'web: raw\n        webSecure: false'])).toContain(
      'public-without-authentication:ops/migrate 25 packages[1].functions[0].web',
    )
  })

  it('is slow from a millisecond over 30 s on', () => {
    const timeout = (ms: number): Edit => [
      'web: false\n        limits: { timeout: 60000',
      `web: raw\n        webSecure: s3cret\n        limits: { timeout: ${ms}`,
    ]
    expect(warningsOf(timeout(30_000))).toEqual([])
    expect(warningsOf(timeout(30_001))).toEqual(['slow-public:ops/migrate 27 packages[1].functions[0].limits.timeout'])
  })

  it.each([
    ['its own', inFunction('parameters: { a: 1 }'), [] as string[]],
    [
      'those of its project',
      inProject('parameters: { a: 1, b: 2 }'),
      ['bound-parameters:api/webhook 1 parameters', 'bound-parameters:api/health 1 parameters'],
    ],
  ])('refuses requests that name %s parameters, which a private one does not', (_, edit, expected) => {
    expect(warningsOf(edit)).toEqual(expected)
  })

  it('with parameters names them, never their values', () => {
    const edit: Edit = ['        web: false\n', '        web: raw\n        parameters: { key: s3cret }\n']
    const warning = findWarnings(readProjectFile(edited(edit), VALID_ENVIRONMENT)).find(({ code }) => code === 'bound-parameters')
    expect(warning).toMatchObject({ line: 26, path: 'packages[1].functions[0].parameters' })
    expect(warning?.reason).toContain('key')
    expect(JSON.stringify(warning)).not.toContain('s3cret')
  })
})

describe('the memory of a function', () => {
  it('is small when twice what node and the bundle take does not fit', () => {
    const fits = Math.floor(((256 / 2 - 56) / 28) * 1_000_000)
    expect(warningsOf(PRIVATE, { 'ops/migrate': fits })).toEqual([])
    expect(warningsOf(PRIVATE, { 'ops/migrate': fits + 1 })).toEqual(['small-memory:ops/migrate 26 packages[1].functions[0].limits.memory'])
  })

  it('agrees with what was measured: a bundle of 1.27 MB takes up to 91 MiB', () => {
    expect(memoryForBundle(1_270_000) / 2).toBeGreaterThanOrEqual(91)
    expect(memoryForBundle(1_270_000)).toBeLessThan(256)
  })

  it('counts as the default when the file does not set it', () => {
    const edit: Edit = ['        limits: { timeout: 60000, memory: 256 }\n', '']
    expect(warningsOf(edit, { 'ops/migrate': 5_000_000 })).toEqual(['small-memory:ops/migrate 23 packages[1].functions[0].limits.memory'])
  })
})

describe('a schedule', () => {
  const everyMinute = (timeout: number, enabled = true): Edit => [
    VALID_PROJECT,
    VALID_PROJECT.replace('*/5', '*')
      .replace('enabled: true', `enabled: ${enabled}`)
      .replace(
        'web: raw\n        limits: { timeout: 10000, memory: 256 }\n        triggers',
        `web: false\n        limits: { timeout: ${timeout} }\n        triggers`,
      ),
  ]

  it('overlaps itself when the time limit is longer than its shortest gap', () => {
    expect(warningsOf(everyMinute(60_000))).toEqual([])
    expect(warningsOf(everyMinute(60_001))).toEqual([
      'schedule-overlap:health-every-5-minutes 19 packages[0].functions[1].triggers[0].scheduledDetails.cron',
    ])
  })

  it('does not overlap while it is turned off', () => {
    expect(warningsOf(everyMinute(120_000, false))).toEqual([])
  })
})

describe('an environment', () => {
  it.each([
    ['the project', inProject('environment: { A: a }'), 'shared-environment:project 1 environment'],
    ['a package', inPackage('environment: { A: a }'), 'shared-environment:ops 22 packages[1].environment'],
  ])('of %s may leave running functions with old values', (_, edit, expected) => {
    expect(warningsOf(edit)).toEqual([expected])
  })

  it.each(['NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS'])('has %s too late for node', name => {
    expect(warningsOf(inFunction(`environment: { ${name}: a }`))).toEqual([
      `late-variable:ops/migrate/${name} 26 packages[1].functions[0].environment.${name}`,
    ])
  })

  it('with log forwarding starts slowly', () => {
    expect(warningsOf(inFunction('environment: { LOG_DESTINATIONS: a }'))).toEqual([
      'log-forwarding:ops/migrate/LOG_DESTINATIONS 26 packages[1].functions[0].environment.LOG_DESTINATIONS',
    ])
  })

  it('that is empty says nothing', () => {
    expect(warningsOf(inProject('environment: {}\nparameters: {}'))).toEqual([])
  })
})

describe('a remote build', () => {
  it('gets hardly any of the project', () => {
    expect(warningsOf(inFunction('remoteBuild: true'))).toEqual(['remote-build:ops/migrate 26 packages[1].functions[0].remoteBuild'])
    expect(warningsOf(inFunction('remoteBuild: false'))).toEqual([])
  })
})
