import { describe, expect, it } from 'vitest'
import { parseProject } from '../src/parse-project.ts'
import { ProjectFileError } from '../src/project-file-error.ts'
import { edited, inFunction, VALID_ENVIRONMENT, VALID_PROJECT } from './valid-project.ts'

function errorOf(text: string, env: Record<string, string> = {}): ProjectFileError {
  try {
    parseProject(text, { ...VALID_ENVIRONMENT, ...env })
  } catch (error) {
    if (error instanceof ProjectFileError) return error
    throw error
  }
  throw new Error('accepted')
}

function placesOf(text: string, env?: Record<string, string>): string[] {
  return errorOf(text, env).issues.map(({ path, line, column }) => `${line}:${column} ${path}`)
}

describe('the position of an issue', () => {
  it('is that of the key, behind values of many lines too', () => {
    const text = edited(['        web: false\n', '        environment: { A: "${LINES}" }\n        web: yes\n'])
    expect(placesOf(text, { LINES: 'a\n\n\nb' })).toEqual(['26:9 packages[1].functions[0].web'])
  })

  it('is found on a line that a substitution has stretched', () => {
    const text = edited(inFunction('environment: { A: "${A}", B: 1 }'))
    expect(placesOf(text, { A: 'a'.repeat(100) })).toEqual(['26:35 packages[1].functions[0].environment.B'])
  })

  it('is the beginning of the reference when it lies inside a value', () => {
    const text = edited(inFunction('${|LINES}'))
    expect(placesOf(text, { LINES: 'main: main\n        foo: bar' })).toEqual(['26:9 packages[1].functions[0][(substituted)]'])
  })

  it('is that of the merged map for a key that came with it', () => {
    const text = VALID_PROJECT.replace('limits: {', 'limits: &slow { logs: x,').replace('limits: { timeout: 60000,', 'limits: { <<: *slow,')
    expect(placesOf(text)).toEqual(['7:25 packages[0].functions[0].limits.logs', '7:25 packages[1].functions[0].limits.logs'])
  })

  it('is that of the anchor for what an alias repeats', () => {
    const text = VALID_PROJECT.replace('limits: {', 'limits: &slow { logs: x,').replace('limits: { timeout: 60000, memory: 256 }', 'limits: *slow')
    expect(placesOf(text)).toEqual(['7:25 packages[0].functions[0].limits.logs', '7:25 packages[1].functions[0].limits.logs'])
  })

  it('is right behind a byte order mark and with the line ends of Windows', () => {
    const text = `\uFEFF${edited(['web: false', 'web: yes']).replaceAll('\n', '\r\n')}`
    expect(placesOf(text)).toEqual(['25:9 packages[1].functions[0].web'])
  })

  it('is right in JSON', () => {
    expect(placesOf('{"packages": [\n  {"name": "a", "functions": [{"name": "b",\n    "runtime": "nodejs:24", "web": "yes"}]}]}')).toEqual([
      '3:29 packages[0].functions[0].web',
    ])
  })

  it('is that of the map around a key without a value, and right for the keys behind it', () => {
    const text = edited(['limits: { timeout: 60000, memory: 256 }', 'limits: { timeout, memory: 5 }'])
    expect(placesOf(text)).toEqual(['26:9 packages[1].functions[0].limits.timeout', '26:28 packages[1].functions[0].limits.memory'])
  })

  it('is right for keys in quotes, explicit keys being left to the map around them', () => {
    expect(placesOf(edited(['web: false', '"web": yes']))).toEqual(['25:9 packages[1].functions[0].web'])
    expect(placesOf(edited(['        web: false\n', '        ? web\n        : yes\n']))).toEqual(['23:9 packages[1].functions[0].web'])
  })
})

describe('the message', () => {
  it('lists file, position, path, reason and fix of every issue in the order of the file', () => {
    const text = VALID_PROJECT.replace('web: false', 'web: yes').replace('name: webhook', 'name: 5').replace('enabled: true', 'retries: 3')
    expect(errorOf(text).message.split('\n')).toEqual([
      'project.yml:4:9 packages[0].functions[0].name: the name is not a string. Write a string, in quotes if it looks like a number or a date.',
      'project.yml:17:13 packages[0].functions[1].triggers[0].retries: the key is not known here; the deployer may pass over it in silence when its value is false, 0, null or empty. Take it out.',
      'project.yml:25:9 packages[1].functions[0].web: web is neither true, false nor the word raw. Write true, false or raw, without quotes; yes and no are strings.',
    ])
  })

  it('stands without a position where there is none', () => {
    expect(errorOf('').message).toBe('project.yml: the file has no content. Begin with "packages:" and a list of packages.')
  })

  it('reports rules over several keys beside those of one key', () => {
    const text = VALID_PROJECT.replace('name: ops', 'name: api')
      .replace('web: false', 'web: yes')
      .replace('- name: migrate\n        runtime: nodejs:24', '- name: migrate')
    expect(errorOf(text).issues.map(({ code }) => code)).toEqual(['duplicate-package', 'runtime-missing', 'web-type'])
  })

  it('reports two functions of one name beside what is wrong inside of them', () => {
    const text = VALID_PROJECT.replace('name: health\n', 'name: webhook\n').replace('web: raw', 'web: yes')
    expect(errorOf(text).issues.map(({ code }) => code)).toEqual(['web-type', 'duplicate-function'])
  })

  it('suggests the key that was meant', () => {
    expect(errorOf(edited(inFunction('websecure: s'))).issues[0]?.fix).toBe('Write webSecure, or take it out')
  })

  it('says once, and where it belongs, when a key stands in the wrong place', () => {
    const text = edited([
      '    functions:\n      - name: migrate\n        runtime: nodejs:24\n',
      '    runtime: nodejs:24\n    functions:\n      - name: migrate\n',
    ])
    expect(errorOf(text).issues.map(({ path, code, fix }) => [path, code, fix])).toEqual([
      ['packages[1].runtime', 'unknown-key', 'Move it to packages[1].functions[0]'],
    ])
  })
})
