import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from '../src/command.ts'
import { edited, VALID_PROJECT } from './valid-project.ts'

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'project-schema-'))
  writeFileSync(join(folder, 'project.yml'), VALID_PROJECT)
  writeFileSync(join(folder, 'bad.yml'), edited(['web: false', 'web: yes']))
})

afterAll(() => {
  rmSync(folder, { recursive: true })
})

function run(...args: string[]) {
  let out = ''
  let err = ''
  const status = runCommand(args, { out: text => (out += text), err: text => (err += text) })
  return { status, out, err }
}

describe('doctl-project-schema functions', () => {
  it('prints the qualified names without needing a variable', () => {
    expect(run('functions', join(folder, 'project.yml'))).toEqual({ status: 0, out: 'api/webhook\napi/health\nops/migrate\n', err: '' })
  })

  it('ends with 1 and the issues when the file is refused', () => {
    const { status, out, err } = run('functions', join(folder, 'bad.yml'))
    expect([status, out]).toEqual([1, ''])
    expect(err).toContain(`${join(folder, 'bad.yml')}:25:9 packages[1].functions[0].web: `)
  })

  it('ends with 2 when there is no such file', () => {
    const { status, out, err } = run('functions', join(folder, 'none.yml'))
    expect([status, out]).toEqual([2, ''])
    expect(err).toContain('ENOENT')
  })

  it.each([[[]], [['chek']], [['schema', 'x']], [['functions', '--all']], [['functions', 'a.yml', 'b.yml']]])(
    'ends with 2 and the usage for %j',
    args => {
      const { status, out, err } = run(...args)
      expect([status, out]).toEqual([2, ''])
      expect(err).toMatch(/^usage: doctl-project-schema /)
    },
  )

  it('prints the usage when asked for it', () => {
    expect(run('--help')).toMatchObject({ status: 0, err: '' })
  })

  it('runs as a program through the link in node_modules, on project.yml of the working directory', () => {
    const command = join(import.meta.dirname, '../../../node_modules/doctl-project-schema/src/command.ts')
    const { status, stdout, stderr } = spawnSync(process.execPath, [command, 'functions'], { cwd: folder, encoding: 'utf8' })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'api/webhook\napi/health\nops/migrate\n', stderr: '' })
  })
})
