import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkProject } from '../src/check-project.ts'
import { runCommand } from '../src/command.ts'
import { temporaryProject, VALID_TREE } from './tree/temporary-project.ts'
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

  it.each([[['--help']], [['-h']], [['check', '--help']], [['check', 'folder', '-h']], [['functions', '--help']], [['schema', '-h']]])(
    'prints the usage when asked for it by %j',
    args => {
      expect(run(...args)).toEqual({ status: 0, out: expect.stringMatching(/^usage: /) as string, err: '' })
    },
  )

  it('runs as a program through the link in node_modules, on project.yml of the working directory', () => {
    const command = join(import.meta.dirname, '../../../node_modules/doctl-project-schema/bin/doctl-project-schema.js')
    const { status, stdout, stderr } = spawnSync(process.execPath, [command, 'functions'], { cwd: folder, encoding: 'utf8' })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'api/webhook\napi/health\nops/migrate\n', stderr: '' })
  })
})

describe('doctl-project-schema check', () => {
  const PUBLIC = ['--accept', 'public-without-authentication:api/webhook', '--accept', 'public-without-authentication:api/health']

  it('ends with 0 and the warnings when nothing is refused', () => {
    using project = temporaryProject(VALID_TREE)
    const { status, out, err } = run('check', project.root)
    expect([status, err]).toEqual([0, ''])
    expect(out).toMatch(/^warning project\.yml:6:9 packages\[0\]\.functions\[0\]\.web: .* \(public-without-authentication:api\/webhook\)\n/)
    expect(out).toMatch(/\n0 problems, 2 warnings\n$/)
  })

  it('leaves out what is accepted', () => {
    using project = temporaryProject(VALID_TREE)
    expect(run('check', project.root, ...PUBLIC)).toEqual({ status: 0, out: '0 problems, 0 warnings\n', err: '' })
  })

  it('ends with 1 and a line for each problem', () => {
    using project = temporaryProject({ ...VALID_TREE, 'project.yml': edited(['web: false', 'web: yes']), 'packages/api/a.js': '' })
    const { status, out } = run('check', project.root)
    expect(status).toBe(1)
    expect(out).toMatch(
      /^problem project\.yml:25:9 packages\[1\]\.functions\[0\]\.web: .*\nproblem packages\/api\/a\.js: .*\n2 problems, 0 warnings\n$/,
    )
  })

  it('prints JSON with the same problems and warnings, whatever the terminal', () => {
    using project = temporaryProject({ ...VALID_TREE, 'packages/api/a.js': '' })
    let out = ''
    const status = runCommand(['check', project.root, '--json'], { out: text => (out += text), err: () => {}, colour: true })
    expect(status).toBe(1)
    expect(JSON.parse(out)).toEqual(JSON.parse(JSON.stringify(checkProject(project.root))))
    expect(JSON.parse(out)).toMatchObject({ problems: [{ file: 'packages/api/a.js', path: '', code: 'loose-file' }], warnings: [{}, {}] })
  })

  it('is in colour where colours are shown, and nowhere else', () => {
    using project = temporaryProject({ ...VALID_TREE, 'packages/api/a.js': '' })
    let out = ''
    runCommand(['check', project.root], { out: text => (out += text), err: () => {}, colour: true })
    expect(out).toContain('\u001B[31mproblem\u001B[39m packages/api/a.js')
    expect(run('check', project.root).out).not.toContain('\u001B')
    const command = join(import.meta.dirname, '../bin/doctl-project-schema.js')
    const { stdout } = spawnSync(process.execPath, [command, 'check', project.root], { encoding: 'utf8', env: { ...process.env, FORCE_COLOR: '1' } })
    expect(stdout).not.toContain('\u001B')
  })

  it('asks for what .include names after a build only', () => {
    using project = temporaryProject(VALID_TREE)
    const { status, out } = run('check', project.root, '--built')
    expect(status).toBe(1)
    expect(out).toContain('problem packages/api/webhook/.include:1:1: dist/index.js is not there although the build is done')
  })

  it('reads the file with the variables of a .env file', () => {
    using project = temporaryProject({ ...VALID_TREE, '.env': 'DB_CONNECTION_URL=a#b\nDB_CA_CERT=c\n', 'bad.env': '{"A": 1}' })
    const { status, out } = run('check', project.root, '--env', join(project.root, '.env'))
    expect(status).toBe(1)
    expect(out).toContain('project.yml:9:15: the variable LOG_LEVEL is unset or empty')
    expect(out).toContain('env-file-comment:DB_CONNECTION_URL')
    expect(run('check', project.root, '--env', join(project.root, 'bad.env'))).toMatchObject({ status: 1 })
  })

  it.each([[['--fix']], [['.', '.']], [['--accept']], [['--env']]])('ends with 2 and the usage for %j', args => {
    expect(run('check', ...args)).toEqual({ status: 2, out: '', err: expect.stringMatching(/^usage: /) as string })
  })

  it('ends with 2 when there is nothing to read', () => {
    using project = temporaryProject(VALID_TREE)
    expect(run('check', join(project.root, 'none'))).toMatchObject({ status: 2, out: '' })
    expect(run('check', join(project.root, 'project.yml'))).toMatchObject({ status: 2, out: '' })
    expect(run('check', project.root, '--env', join(project.root, 'none.env'))).toMatchObject({ status: 2, out: '' })
  })
})

describe('doctl-project-schema schema', () => {
  it('prints the JSON Schema that is committed', () => {
    const committed = readFileSync(join(import.meta.dirname, '../project.schema.json'), 'utf8')
    expect(run('schema')).toEqual({ status: 0, out: expect.any(String) as string, err: '' })
    expect(JSON.parse(run('schema').out)).toEqual(JSON.parse(committed))
  })
})
