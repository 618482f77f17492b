import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { load } from 'js-yaml'
import { describe, expect, test } from 'vitest'
import { logSettings } from '../../lib/functions-runtime/src/settings/log.ts'
import { hostSettings } from '../../lib/functions-devkit/src/settings/host.ts'
import { placeholderEnvironment } from '../../lib/doctl-project-schema/src/index.ts'
import { usableConnections } from '../../lib/functions-devkit/src/cli/doctor/capacity.ts'
import schema from '../../lib/functions-devkit/test/support/app-platform/app-spec.schema.json' with { type: 'json' }

const ROOT = join(import.meta.dirname, '../..')
const text = readFileSync(join(ROOT, '.do/app.yaml'), 'utf8')

interface Variable {
  key: string
  scope?: string
  type?: string
  value?: string
}
interface HealthCheck {
  http_path: string
  period_seconds: number
  timeout_seconds: number
}
interface Component {
  name: string
  run_command: string
  build_command?: string
  kind?: string
  instance_count: number
  envs: Variable[]
}
interface Service extends Component {
  http_port: number
  health_check: HealthCheck
  liveness_health_check: HealthCheck
  termination: { drain_seconds: number; grace_period_seconds: number }
}
interface Spec {
  name: string
  envs: Variable[]
  services: [Service]
  jobs: [Component]
}

const spec = load(text) as Spec
const [service] = spec.services
const [job] = spec.jobs

/** The published schema lets every unknown name pass; the platform does not. */
function strict(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(strict)
  if (typeof node !== 'object' || node === null) return node
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, strict(value)]))
  return 'properties' in copy ? { ...copy, additionalProperties: false } : copy
}

const { $comment: _, ...published } = schema
const validate = new Ajv2020({ allErrors: true }).compile(strict(published) as object)
const problemsOf = (candidate: unknown) => (validate(candidate) ? [] : (validate.errors ?? []).map(one => `${one.instancePath} ${one.message}`))

describe('the app spec', () => {
  test('holds what the published schema knows, in its types', () => {
    expect(problemsOf(spec)).toEqual([])
  })

  test.each([
    ['a misspelt key', (copy: Spec) => Object.assign(copy.services[0], { instance_counts: 1 }), '/services/0 must NOT have additional properties'],
    ['a number as text', (copy: Spec) => Object.assign(copy.services[0], { http_port: '8080' }), '/services/0/http_port must be integer'],
    [
      'an unknown part of a health check',
      (copy: Spec) => Object.assign(copy.services[0].health_check, { path_http: '/' }),
      '/services/0/health_check must NOT have additional properties',
    ],
  ])('would be refused with %s', (_what, spoil, problem) => {
    const copy = structuredClone(spec)
    spoil(copy)
    expect(problemsOf(copy)).toEqual([problem])
  })

  // These the schema does not say; they stand in App Platform's reference for the app spec.
  test('keeps to the documented words and bounds', () => {
    const component = /^[a-z][a-z0-9-]{0,30}[a-z0-9]$/
    for (const { name } of [spec, service, job]) expect(name).toMatch(component)
    for (const { scope, type = 'GENERAL' } of [...spec.envs, ...service.envs, ...job.envs]) {
      expect(['RUN_TIME', 'BUILD_TIME', 'RUN_AND_BUILD_TIME']).toContain(scope)
      expect(['GENERAL', 'SECRET']).toContain(type)
    }
    expect(job.kind).toBe('PRE_DEPLOY')
    expect(service.termination.drain_seconds).toBeLessThanOrEqual(110)
    expect(service.termination.grace_period_seconds).toBeLessThanOrEqual(600)
    for (const check of [service.health_check, service.liveness_health_check]) expect(check.timeout_seconds).toBeLessThanOrEqual(check.period_seconds)
  })

  test('holds no value of a secret, and every variable that is one as a secret', () => {
    const all = [...spec.envs, ...service.envs, ...job.envs]
    expect(all.filter(({ type, value }) => type === 'SECRET' && value !== undefined)).toEqual([])
    const open = all.filter(({ type }) => type !== 'SECRET').map(({ key }) => key)
    expect(open.filter(key => /SECRET|KEY|URL|PASSWORD|CERT/.test(key))).toEqual([])
  })

  test('sets variables that are read, each once, with values that are usable', () => {
    const known = [...Object.keys(placeholderEnvironment(readFileSync(join(ROOT, 'project.yml'), 'utf8'))), ...hostSettings.variables]
    for (const variables of [service.envs, job.envs]) {
      const keys = [...spec.envs, ...variables].map(({ key }) => key)
      expect(keys.filter(key => !known.includes(key))).toEqual([])
      expect(new Set(keys).size).toBe(keys.length)
    }
    const values = Object.fromEntries(service.envs.map(({ key, value }) => [key, value]))
    expect(hostSettings.parse(values).issues ?? logSettings.parse(values).issues).toBeUndefined()
  })

  test('runs commands that there are', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
    for (const command of [service.run_command, service.build_command, job.run_command]) {
      expect(scripts).toHaveProperty(/^npm run (\w+)/.exec(command ?? '')?.[1] ?? 'none')
    }
    expect(job.run_command).toBe('npm run migrate -- up')
  })

  test('lets the process end before it is killed, and two of it share the smallest database', () => {
    const values = Object.fromEntries(service.envs.map(({ key, value }) => [key, value]))
    const { graceMs, requestsMs } = hostSettings.parse(values).value ?? { graceMs: Infinity, requestsMs: Infinity }
    // The rest of the end has its own limits, of twelve seconds in all.
    expect(graceMs + requestsMs + 12_000).toBeLessThan(service.termination.grace_period_seconds * 1_000)
    expect(2 * Number(values.DB_POOL_MAX) * service.instance_count).toBeLessThanOrEqual(usableConnections({ maxConnections: 25, reserved: 3 }))
    expect(service.http_port).toBe(hostSettings.parse({}).value?.port)
  })
})
