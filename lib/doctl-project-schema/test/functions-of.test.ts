import { describe, expect, it } from 'vitest'
import { functionsOf } from '../src/functions-of.ts'
import { parseProject } from '../src/parse-project.ts'
import { type Edit, edited, VALID_ENVIRONMENT, VALID_PROJECT } from './valid-project.ts'

function functionNamed(qualifiedName: string, text = VALID_PROJECT) {
  return functionsOf(parseProject(text, VALID_ENVIRONMENT)).find(entry => entry.qualifiedName === qualifiedName)
}

describe('functionsOf', () => {
  it('lists the functions in the order of the file', () => {
    expect(functionsOf(parseProject(VALID_PROJECT, VALID_ENVIRONMENT)).map(({ qualifiedName }) => qualifiedName)).toEqual([
      'api/webhook',
      'api/health',
      'ops/migrate',
    ])
  })

  it('fills in the limits of the platform', () => {
    expect(functionNamed('api/webhook')?.limits).toEqual({ timeout: 10000, memory: 256, logs: 16 })
    const bare: Edit = ['        limits: { timeout: 60000, memory: 256 }\n', '']
    expect(functionNamed('ops/migrate', edited(bare))?.limits).toEqual({ timeout: 3000, memory: 256, logs: 16 })
  })

  it('puts the environments together, the closest to the function winning', () => {
    const text = VALID_PROJECT.replace('packages:\n', 'environment: { A: project, B: project, C: project }\npackages:\n')
      .replace('  - name: ops\n', '  - name: ops\n    environment: { B: package, C: package }\n')
      .replace('        web: false\n', '        web: false\n        environment: { C: function }\n')
    expect(functionNamed('ops/migrate', text)?.environment).toEqual({ A: 'project', B: 'package', C: 'function' })
    expect(functionNamed('api/health', text)?.environment).toEqual({ A: 'project', B: 'project', C: 'project' })
  })

  it('gives triggers with their defaults', () => {
    expect(functionNamed('api/health')?.triggers).toEqual([
      { name: 'health-every-5-minutes', enabled: true, cron: '*/5 * * * *', body: { source: 'schedule' } },
    ])
    const text = VALID_PROJECT.replace('            enabled: true\n', '').replace('              body: { source: schedule }\n', '')
    expect(functionNamed('api/health', text)?.triggers).toEqual([{ name: 'health-every-5-minutes', enabled: true, cron: '*/5 * * * *', body: {} }])
    expect(functionNamed('ops/migrate')?.triggers).toEqual([])
  })

  it('tells code, sequence and image apart', () => {
    expect(functionNamed('ops/migrate')).toMatchObject({ package: 'ops', name: 'migrate', web: false, runtime: 'nodejs:24' })
    const code = 'runtime: nodejs:24\n        web: false'
    expect(functionNamed('ops/migrate', edited([code, 'sequence: [api/health]\n        web: false']))?.runtime).toBe('sequence')
    expect(functionNamed('ops/migrate', edited([code, 'docker: example/image\n        web: false']))?.runtime).toBe('blackbox')
  })

  it('has none for a package with a binding', () => {
    const text = 'packages: [{ name: tools, binding: { namespace: other, name: tools } }]'
    expect(functionsOf(parseProject(text, {}))).toEqual([])
  })
})
