import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { dataFolderOf } from '../../src/server/data-folder.ts'
import { localVariable, readLocalFile, removeSettings } from '../../src/server/local-environment.ts'

let checkout: string
const write = (text: string) => writeFileSync(join(checkout, '.env.local'), text)

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'local-environment-'))
})

afterEach(() => rmSync(checkout, { recursive: true }))

describe('.env.local', () => {
  test('is read as .env is, and may be missing', () => {
    expect(readLocalFile(checkout)).toEqual({})
    write('# mine\nGREETING="Hello # all"\nexport NAME=Ada\n')
    expect(readLocalFile(checkout)).toEqual({ GREETING: 'Hello # all', NAME: 'Ada' })
  })

  test('comes after the shell in what npm start itself reads', () => {
    write('PORT=3000\n')
    expect(localVariable(checkout, 'PORT', {})).toBe('3000')
    expect(localVariable(checkout, 'PORT', { PORT: '4000' })).toBe('4000')
  })

  test('may name the data folder', () => {
    write('LOCAL_DATA_FOLDER=elsewhere\n')
    expect(dataFolderOf(checkout, undefined).folder).toBe(join(checkout, 'elsewhere'))
    expect(dataFolderOf(checkout, '/data').folder).toBe('/data')
  })
})

describe('the settings of a shell', () => {
  test('are taken out by name, with those of libraries', () => {
    const shell = { PATH: '/bin', DB_HOST: 'production', PGPASSWORD: 'secret', EMPTY: '' }
    expect(removeSettings(shell, ['DB_HOST', 'EMPTY', 'MISSING'])).toEqual(['DB_HOST', 'PGPASSWORD'])
    expect(shell).toEqual({ PATH: '/bin', EMPTY: '' })
  })
})
