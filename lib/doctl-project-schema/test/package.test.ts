import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copyCheckout } from '../../functions-devkit/test/support/checkout.ts'
import * as sources from '../src/index.ts'
import { temporaryProject, VALID_TREE } from './tree/temporary-project.ts'

const ROOT = resolve(import.meta.dirname, '../../..')
const run = promisify(execFile)

interface Manifest {
  bin: Record<string, string>
  dependencies: Record<string, string>
}

/** An empty folder into which the packed package was installed as npm would; what it depends on is this checkout's. */
let folder = ''
let installed = ''
let files: string[] = []
let manifest: Manifest

async function packInto(target: string): Promise<string> {
  // In a copy: packing compiles into dist/, and this checkout is to stay as it is.
  const checkout = copyCheckout(['package.json', 'tsconfig.json', 'lib/doctl-project-schema'])
  try {
    const cwd = join(checkout.folder, 'lib/doctl-project-schema')
    const { stdout } = await run('npm', ['pack', '--offline', '--json', '--silent', '--pack-destination', target], { cwd })
    const [, name] = /"filename": "([^"]+)"/.exec(stdout) ?? []
    return join(target, name ?? '')
  } finally {
    checkout.remove()
  }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'package-'))
  installed = join(folder, 'node_modules/doctl-project-schema')
  mkdirSync(installed, { recursive: true })
  const tarball = await packInto(folder)
  const { stdout } = await run('tar', ['-xzvf', tarball, '--strip-components=1', '-C', installed])
  files = stdout.split('\n').filter(Boolean)
  rmSync(tarball)
  manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Manifest
  for (const name of Object.keys(manifest.dependencies)) symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name))
  mkdirSync(join(folder, 'node_modules/.bin'))
  for (const [name, path] of Object.entries(manifest.bin)) {
    chmodSync(join(installed, path), 0o755)
    symlinkSync(join(installed, path), join(folder, 'node_modules/.bin', name))
  }
})

afterAll(() => rmSync(folder, { recursive: true }))

const write = (path: string, text: string) => {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

describe('the packed package', () => {
  it('holds what runs, its types, its licence, and nothing to build or test it with', () => {
    const tops = new Set(files.map(path => path.split('/')[1]))
    expect([...tops].toSorted()).toEqual(['LICENSE', 'README.md', 'bin', 'dist', 'package.json', 'project.schema.json'])
    expect(files.filter(path => /(?<!\.d)\.[cm]?ts$|test/.test(path))).toEqual([])
    expect(readFileSync(join(installed, 'LICENSE'), 'utf8')).toBe(readFileSync(join(ROOT, 'LICENSE'), 'utf8'))
  })

  it('runs its command, with the exit statuses that it states', async () => {
    using good = temporaryProject(VALID_TREE)
    using bad = temporaryProject({ ...VALID_TREE, 'packages/api/a.js': '' })
    const command = join(folder, 'node_modules/.bin/doctl-project-schema')
    const check = async (root: string) => run(process.execPath, [command, 'check', root, '--json'])
    expect(JSON.parse((await check(good.root)).stdout)).toMatchObject({ problems: [] })
    await expect(check(bad.root)).rejects.toMatchObject({ code: 1, stdout: expect.stringContaining('"loose-file"') as string, stderr: '' })
    await expect(check(join(bad.root, 'none'))).rejects.toMatchObject({ code: 2, stdout: '' })
  })

  it('is imported by plain JavaScript, with the names that the sources export', async () => {
    write(
      'names.mjs',
      `import * as all from 'doctl-project-schema'
       import schema from 'doctl-project-schema/project.schema.json' with { type: 'json' }
       const env = all.placeholderEnvironment('')
       const refusal = (() => { try { all.parseProject('packages: []', env) } catch (error) { return error.issues[0].code } })()
       console.log(JSON.stringify({ names: Object.keys(all), title: schema.title, refusal }))`,
    )
    const { stdout } = await run(process.execPath, ['--no-warnings', 'names.mjs'], { cwd: folder })
    expect(JSON.parse(stdout)).toEqual({ names: Object.keys(sources).toSorted(), title: 'project.yml', refusal: 'packages-empty' })
  })

  it('has types that a strict compiler resolves, and that refuse a wrong call', async () => {
    write('package.json', '{ "type": "module" }')
    write(
      'use.ts',
      `import { checkProject, functionsOf, parseProject, type Problem } from 'doctl-project-schema'
       export const problems: Problem[] = checkProject('.', { accept: ['a'] }).problems
       export const names: string[] = functionsOf(parseProject('', {})).map(({ qualifiedName }) => qualifiedName)
       // @ts-expect-error -- a number is no text
       parseProject(7, {})
       // @ts-expect-error -- the path is a string: an import that does not resolve would be any
       export const path: number | undefined = checkProject('.').problems[0]?.path\n`,
    )
    const tsc = join(ROOT, 'node_modules/.bin/tsc')
    const options = ['--noEmit', '--strict', '--target', 'es2023', '--module', 'nodenext', '--skipLibCheck']
    await expect(run(tsc, [...options, 'use.ts'], { cwd: folder })).resolves.toMatchObject({ stdout: '' })
  })
})
