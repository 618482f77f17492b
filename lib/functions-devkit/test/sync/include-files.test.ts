import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeIncludeFiles } from '../../src/build/bundle/include-files.ts'

describe('the .include of a function', () => {
  let folder: string
  const file = () => join(folder, 'packages/api/hello/.include')
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'include-'))
    mkdirSync(join(folder, 'packages/api/hello'), { recursive: true })
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const OUTPUTS = ['packages/api/hello/dist/wkx.js', 'packages/api/hello/dist/index.js', 'packages/api/hello/dist/lodash.js', 'parts/wkx.js']

  it('names the bundle, its parts and package.json', () => {
    writeIncludeFiles(folder, OUTPUTS)
    expect(readFileSync(file(), 'utf8')).toBe('dist/index.js\ndist/lodash.js\ndist/wkx.js\n../../../lib/zip/package.json\n')
  })

  it('keeps lines for other files, and drops parts that are no longer there', () => {
    writeFileSync(file(), 'dist/gone.js\r\ntemplates/mail.html\r\n../../../lib/fonts\r\n')
    writeIncludeFiles(folder, OUTPUTS)
    expect(readFileSync(file(), 'utf8').split('\n').slice(3)).toEqual([
      '../../../lib/zip/package.json',
      'templates/mail.html',
      '../../../lib/fonts',
      '',
    ])
  })

  it('is not touched when it is right', () => {
    writeIncludeFiles(folder, OUTPUTS)
    const { mtimeNs, ino } = statSync(file(), { bigint: true })
    writeIncludeFiles(folder, OUTPUTS)
    expect(statSync(file(), { bigint: true })).toMatchObject({ mtimeNs, ino })
  })
})
