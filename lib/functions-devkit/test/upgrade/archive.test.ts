import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { strToU8, zipSync } from 'fflate'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readArchive } from '../../src/upgrade/archive.ts'
import type { Tree } from '../../src/upgrade/tree.ts'

const LONG = `${'folder-of-a-name/'.repeat(12)}${'a'.repeat(90)}.ts`

let root: string
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), 'archive-'))))
afterEach(() => rmSync(root, { recursive: true }))

function write(path: string, content: string | Buffer, mode = 0o644): void {
  const file = join(root, 'version-1', path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
  chmodSync(file, mode)
}

function pack(...options: string[]): Buffer {
  execFileSync('tar', ['-C', root, ...options, '-czf', join(root, 'version.tar.gz'), 'version-1'])
  return readFileSync(join(root, 'version.tar.gz'))
}

const described = (tree: Tree) => Object.fromEntries([...tree].map(([path, { content, executable }]) => [path, [content.toString(), executable]]))

describe('a tar archive', () => {
  it.each(['gnu', 'pax', 'oldgnu'])('of the form %s has files of any name, with their modes', format => {
    write('build.sh', '#!/bin/bash\n', 0o755)
    write(LONG, 'long\n')
    write('größe.txt', 'ü\n')
    write('empty', '')
    write('big', Buffer.alloc(1_500, 'x'))
    expect(described(readArchive(pack(`--format=${format}`)))).toEqual({
      'build.sh': ['#!/bin/bash\n', true],
      [LONG]: ['long\n', false],
      'größe.txt': ['ü\n', false],
      empty: ['', false],
      big: ['x'.repeat(1_500), false],
    })
  })

  it('of git has its files', () => {
    write('a.ts', 'a\n')
    const git = (...args: string[]) => execFileSync('git', ['-C', join(root, 'version-1'), ...args], { maxBuffer: 10_000_000 })
    git('init', '--quiet')
    git('add', '.')
    git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--quiet', '-m', 'a')
    const archive = git('archive', '--format=tar.gz', '--prefix=name-1/', 'HEAD')
    expect(described(readArchive(archive))).toEqual({ 'a.ts': ['a\n', false] })
  })

  it('leaves out what .gitignore names', () => {
    for (const path of ['.gitignore', 'a.ts', 'dist/a.js', 'lib/x/dist/a.js', 'node_modules/a/b.js', 'x.tgz', '.env', 'logs/a', 'lib/logs/a'])
      write(path, '# comment\ndist/\n*.tgz\n/logs\n')
    expect([...readArchive(pack()).keys()].sort()).toEqual(['.gitignore', 'a.ts', 'lib/logs/a'])
  })

  it('with a link is refused', () => {
    write('a.ts', 'a\n')
    symlinkSync('/etc/passwd', join(root, 'version-1/b.ts'))
    expect(() => readArchive(pack())).toThrow('version-1/b.ts, which is neither a file nor a folder')
  })

  it.each(['../evil.ts', '/evil.ts', 'a/../../evil.ts'])('with a path that leads out of it is refused: %s', path => {
    write('a.ts', 'a\n')
    const archive = pack('-P', `--transform=s,^version-1/a.ts,${path},`)
    expect(() => readArchive(archive)).toThrow('leads out of it')
  })

  it('that is cut off is refused', () => {
    write('a.ts', 'a'.repeat(5_000))
    const archive = pack()
    expect(() => readArchive(archive.subarray(0, archive.length / 2))).toThrow('cut off or damaged')
    const unpacked = execFileSync('tar', ['-C', root, '-cf', '-', 'version-1/a.ts'])
    expect(() => readArchive(gzipSync(unpacked.subarray(0, 2_000)))).toThrow('cut off or damaged')
  })
})

describe('a zip archive', () => {
  it('has its files, whose modes are unknown', () => {
    const archive = zipSync({ 'version-1/': new Uint8Array(), 'version-1/a.ts': strToU8('a\n'), 'version-1/b/c.ts': strToU8('c\n') })
    expect(described(readArchive(Buffer.from(archive)))).toEqual({ 'a.ts': ['a\n', undefined], 'b/c.ts': ['c\n', undefined] })
  })

  it('without a folder around it has the same files', () => {
    expect([...readArchive(Buffer.from(zipSync({ 'a.ts': strToU8('a'), 'b/c.ts': strToU8('c') }))).keys()]).toEqual(['a.ts', 'b/c.ts'])
  })
})

it('anything else is refused', () => {
  expect(() => readArchive(Buffer.from('<html>'))).toThrow('It is no archive: give a .tar.gz or a .zip')
})
