import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { stageFunction } from '../../src/server/stage.ts'

let root: string
let functionFolder: string
let stageFolder: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'stage-'))
  functionFolder = join(root, 'packages', 'api', 'user')
  stageFolder = join(root, 'stage', '1')
  put('packages/api/user/dist/index.js', 'exports.main = () => ({ body: "staged" })')
  put('packages/api/user/index.ts', 'export const main = 1')
  put('lib/zip/package.json', '{ "main": "dist/index.js", "type": "commonjs" }')
  // Makes every file beside it an ES module, as the checkout's own package.json does.
  put('package.json', '{ "type": "module" }')
})

afterEach(() => rmSync(root, { recursive: true }))

function put(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), content)
}

function include(...lines: string[]): void {
  put('packages/api/user/.include', lines.join('\n'))
}

function staged(): string[] {
  return readdirSync(stageFolder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(stageFolder.length + 1))
    .sort()
}

describe('staging a function', () => {
  test('copies what .include names, and it loads as CommonJS', () => {
    include('dist/index.js', '../../../lib/zip/package.json', '')
    const { main } = createRequire(import.meta.url)(stageFunction({ functionFolder, stageFolder })) as { main: () => unknown }
    expect(staged()).toEqual(['dist/index.js', 'package.json'])
    expect(main()).toEqual({ body: 'staged' })
  })

  test('tolerates Windows line ends and blank lines', () => {
    include('dist/index.js\r', '\r', '../../../lib/zip/package.json\r')
    stageFunction({ functionFolder, stageFolder })
    expect(staged()).toEqual(['dist/index.js', 'package.json'])
  })

  test('copies folders whole: inside ones by their path, library ones by their last name', () => {
    put('lib/zip/certificates/ca.pem', 'pem')
    put('packages/api/user/dist/data/a.txt', 'a')
    include('dist', '../../../lib/zip/certificates')
    expect(stageFunction({ functionFolder, stageFolder })).toBe(join(stageFolder, 'index.js'))
    expect(staged()).toEqual(['certificates/ca.pem', 'dist/data/a.txt', 'dist/index.js'])
  })

  test('copies the whole folder when there is no .include', () => {
    put('packages/api/user/__deployer__.zip', 'zip')
    stageFunction({ functionFolder, stageFolder })
    expect(staged()).toEqual(['dist/index.js', 'index.ts'])
  })

  test('refuses a file that is missing', () => {
    include('dist/other.js')
    expect(() => stageFunction({ functionFolder, stageFolder })).toThrow('dist/other.js does not exist')
  })

  test('refuses a symbolic link, as the deployer does', () => {
    symlinkSync('index.js', join(functionFolder, 'dist', 'link.js'))
    include('dist/link.js')
    expect(() => stageFunction({ functionFolder, stageFolder })).toThrow('neither a file nor a directory')
  })

  test.each(['../health/dist/index.js', '../../../package.json', '../../../library/x.js', '/etc/hostname'])('refuses %s, which is outside', entry => {
    include(entry)
    expect(() => stageFunction({ functionFolder, stageFolder })).toThrow('neither inside the function nor in ../../../lib')
  })
})
