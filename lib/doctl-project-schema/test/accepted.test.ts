import { describe, expect, it } from 'vitest'
import { parseProject } from '../src/parse-project.ts'
import { type Edit, edited, inFunction, inPackage, inProject, inTrigger, VALID_ENVIRONMENT, VALID_PROJECT } from './valid-project.ts'

const MIGRATE = VALID_PROJECT.slice(VALID_PROJECT.indexOf('      - name: migrate'))
const PACKAGE_OPS = VALID_PROJECT.slice(VALID_PROJECT.indexOf('  - name: ops'))
const limits = (text: string): Edit => ['limits: { timeout: 60000, memory: 256 }', `limits: ${text}`]
const cron = (expression: string): Edit => ['"*/5 * * * *"', expression]

const GOOD: [title: string, edit: Edit, env?: Record<string, string>][] = [
  ['the valid project itself', ['packages:', 'packages:']],
  ['a comment', inFunction('# private')],
  ['a dollar that begins no reference', inFunction('main: cost$')],
  ['environment at every level', inProject('environment: { A: a }')],
  ['an empty environment', inPackage('environment: {}')],
  ['an empty value of a variable', inPackage('environment: { A: "" }')],
  ['quoted numbers and booleans as values', inFunction('environment: { A: "1", B: "true", C: "" , D: 0x }')],
  ['words that YAML leaves alone', inFunction('environment: { A: yes, B: off, C: 1.2.3 }')],
  ['parameters of the project', inProject('parameters: { a: [1, { b: null }] }')],
  ['a shared value in parameters', inProject('parameters: { a: &a { b: c }, d: *a }')],
  ['one target namespace', inProject('targetNamespace: fn-1')],
  ['a target namespace for each stage', inProject('targetNamespace: { test: fn-1, production: fn-2 }')],
  ['annotations, shared: false and web on a package', inPackage('annotations: { a: 1 }\n    shared: false\n    web: raw\n    parameters: {}')],
  ['a package with a binding', [PACKAGE_OPS, '  - name: ops\n    binding: { namespace: other, name: tools }\n']],
  ['the package default', ['  - name: ops', '  - name: default']],
  [
    'the package default with empty maps',
    ['  - name: ops\n', '  - name: default\n    parameters: {}\n    environment: {}\n    annotations: {}\n    shared: false\n'],
  ],
  ['a package named like a method of every object', ['  - name: ops', '  - name: constructor']],
  ['the same function name in two packages', ['      - name: migrate', '      - name: health']],
  ['web: true', ['web: false', 'web: true']],
  ['web: raw', ['web: false', 'web: raw']],
  ['a secret', inFunction('webSecure: s3cret')],
  ['no secret', inFunction('webSecure: false')],
  [
    'the other keys of a function',
    inFunction(
      'main: start\n        file: a.js\n        binary: false\n        remoteBuild: false\n        localBuild: true\n        parameters: { a: 1 }\n        annotations: { final: false }',
    ),
  ],
  ['an empty main', inFunction('main: ""')],
  ['an image without a runtime', [MIGRATE, '      - name: migrate\n        docker: example/image:1\n        web: false\n']],
  ['a sequence', [MIGRATE, '      - name: migrate\n        web: false\n        sequence: [api/webhook, api/health]\n']],
  ['no limits', ['        limits: { timeout: 60000, memory: 256 }\n', '']],
  ['empty limits', limits('{}')],
  ['the lowest limits', limits('{ timeout: 100, memory: 128, logs: 0 }')],
  ['the highest limits', limits('{ timeout: 900000, memory: 1024, logs: 256 }')],
  ['a timeout from a variable', limits('{ timeout: ${TIMEOUT} }'), { TIMEOUT: '5000' }],
  ['an empty list of triggers', inFunction('triggers: []')],
  [
    'three triggers',
    inFunction(
      'triggers:\n          - { name: a, type: scheduled, scheduledDetails: { cron: "0 0 * * *" } }\n          - { name: b, type: Scheduled, scheduledDetails: { cron: "0 0 * * *", body: {} } }',
    ),
  ],
  ['a trigger that is turned off', ['enabled: true', 'enabled: false']],
  ['a trigger without enabled', ['            enabled: true\n', '']],
  ['a comment in a trigger', inTrigger('# later')],
  ['every minute', cron('"* * * * *"')],
  ['lists, ranges and steps', cron('"0,30 8-18/2 1-15,20 */3 1-5"')],
  ['the highest number of each field', cron('"59 23 31 12 6"')],
  ['the lowest number of each field', cron('"0 0 1 1 0"')],
  ['the longest steps', cron('"*/59 */23 */31 */12 */6"')],
  ['a step from a number on', cron('"5/15 * * * *"')],
  ['the leap day', cron('"0 0 29 2 *"')],
  ['a day that one of its months has', cron('"0 0 31 2,3 *"')],
  ['a day that no month has beside a weekday', cron('"0 0 31 2 1"')],
  ['cron with wide spaces', cron('"  0   0 * * *  "')],
  [
    'JSON in place of YAML',
    [VALID_PROJECT, JSON.stringify({ packages: [{ name: 'a', functions: [{ name: 'b', runtime: 'nodejs:24', web: false }] }] })],
  ],
  ['a byte order mark', [VALID_PROJECT, `\uFEFF${VALID_PROJECT}`]],
  ['line ends of Windows', [VALID_PROJECT, VALID_PROJECT.replaceAll('\n', '\r\n')]],
  [
    'the same limits through an alias',
    [VALID_PROJECT, VALID_PROJECT.replace('limits: {', 'limits: &small {').replace('limits: { timeout: 60000, memory: 256 }', 'limits: *small')],
  ],
]

describe('a good project file', () => {
  it.each(GOOD.map(([title, edit, env = {}]) => ({ title, edit, env })))('is accepted: $title', ({ edit, env }) => {
    const project = parseProject(edited(edit), { ...VALID_ENVIRONMENT, ...env })
    expect(project.packages.length).toBeGreaterThan(0)
  })

  it('is read at once although its aliases stand for more values than could be counted', () => {
    const doubled = Array.from({ length: 60 }, (_, index) => `a${index + 1}: &a${index + 1} [*a${index}, *a${index}]`).join(', ')
    const project = parseProject(edited(inFunction(`parameters: { a0: &a0 [], ${doubled} }`)), VALID_ENVIRONMENT)
    expect(Object.keys(project.packages[1]?.functions?.[0]?.parameters ?? {})).toHaveLength(61)
  })

  it('is returned as it is written', () => {
    expect(parseProject(VALID_PROJECT, VALID_ENVIRONMENT)).toEqual({
      packages: [
        {
          name: 'api',
          functions: [
            { name: 'webhook', runtime: 'nodejs:24', web: 'raw', limits: { timeout: 10000, memory: 256 }, environment: VALID_ENVIRONMENT },
            {
              name: 'health',
              runtime: 'nodejs:24',
              web: 'raw',
              limits: { timeout: 10000, memory: 256 },
              triggers: [
                {
                  name: 'health-every-5-minutes',
                  type: 'SCHEDULED',
                  enabled: true,
                  scheduledDetails: { cron: '*/5 * * * *', body: { source: 'schedule' } },
                },
              ],
            },
          ],
        },
        { name: 'ops', functions: [{ name: 'migrate', runtime: 'nodejs:24', web: false, limits: { timeout: 60000, memory: 256 } }] },
      ],
    })
  })
})
