import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { strFromU8, unzipSync } from 'fflate'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { packFunction, packZip } from './platform/pack-function.ts'

let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pack-function-'))
  await write('packages/api/hook/dist/index.js', 'exports.main = 1')
  await write('packages/api/hook/dist/deep/data.json', '{}')
  await write('packages/api/hook/index.ts', 'source')
  await write('lib/zip/package.json', '{"main":"dist/index.js"}')
  await write('lib/assets/inner/logo.txt', 'logo')
})

afterEach(() => rm(root, { recursive: true, force: true }))

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await writeFile(join(root, path), text)
}

const include = (text: string) => write('packages/api/hook/.include', text)

async function contents(): Promise<Record<string, string>> {
  const files = unzipSync(await packZip(root, 'api/hook'))
  return Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, strFromU8(bytes)]))
}

describe('packFunction', () => {
  it('keeps the path of files inside the function and the base name of files from lib', async () => {
    await include('dist/index.js\n../../../lib/zip/package.json\n')
    expect(await contents()).toEqual({ 'dist/index.js': 'exports.main = 1', 'package.json': '{"main":"dist/index.js"}' })
  })

  it('packs folders with all they hold, one from lib under its own name', async () => {
    await include('dist\n../../../lib/assets/\n')
    expect(Object.keys(await contents()).sort()).toEqual(['assets/inner/logo.txt', 'dist/deep/data.json', 'dist/index.js'])
  })

  it('reads lines that end as on Windows and skips blank ones', async () => {
    await include('dist/index.js\r\n\r\n../../../lib/zip/package.json\r\n')
    expect(Object.keys(await contents())).toEqual(['dist/index.js', 'package.json'])
  })

  it('deploys a single file as it is', async () => {
    await include('dist/index.js\n')
    expect(await packFunction(root, 'api/hook')).toEqual({ kind: 'file', name: 'index.js', source: 'exports.main = 1' })
    await expect(packZip(root, 'api/hook')).rejects.toThrow('api/hook is deployed as the single file index.js')
  })

  it.each([
    ['a missing file', 'dist/other.js', 'a file that does not exist'],
    ['a comment', '# bundle\ndist/index.js', 'a file that does not exist'],
    ['a pattern', 'dist/*.js', 'a file that does not exist'],
    ['a sibling function', '../other/index.js', 'outside the function and lib'],
    ['the rest of the project', '../../../package.json', 'outside the function and lib'],
    ['a path that leaves lib again', '../../../lib/../package.json', 'outside the function and lib'],
    ['an absolute path', '/etc/hostname', 'outside the function and lib'],
    ['nothing', '\n', 'names no file'],
  ])('refuses %s', async (_what, text, reason) => {
    await include(text)
    await expect(packFunction(root, 'api/hook')).rejects.toThrow(reason)
  })

  it('refuses symbolic links, named or inside a folder', async () => {
    await symlink('index.js', join(root, 'packages/api/hook/dist/link.js'))
    await include('dist/link.js\n')
    await expect(packFunction(root, 'api/hook')).rejects.toThrow('is neither a file nor a directory')
    await include('dist\n')
    await expect(packFunction(root, 'api/hook')).rejects.toThrow('is neither a file nor a directory')
  })

  it('refuses .include and .ignore together', async () => {
    await include('dist/index.js\n')
    await write('packages/api/hook/.ignore', 'index.ts\n')
    await expect(packFunction(root, 'api/hook')).rejects.toThrow('.include and .ignore together')
  })
})
