import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { explainDataFolder } from '../../src/server/data-folder-error.ts'

const folder = join(tmpdir(), 'data')
const explain = (error: unknown) => explainDataFolder(error, { folder })?.message
const ofFile = (code: string, path: string) => Object.assign(new Error(`${code}: open '${path}'`), { code, path })

test('an error of a file in the data folder is explained', () => {
  expect(explain(ofFile('ENOSPC', join(folder, 'start.lock')))).toMatch(/^The disk of the data folder \S+ is full/)
  expect(explain(ofFile('EDQUOT', join(folder, 'start.lock')))).toMatch(/is full/)
  expect(explain(ofFile('EACCES', join(folder, 'start.lock')))).toMatch(/cannot be written/)
  expect(explain(ofFile('ENOTDIR', folder))).toMatch(/is not a folder/)
})

test('an error of a server on it is explained, also as a cause', () => {
  const initdb = new Error('initdb failed (exit code 1):\ncould not write to file: No space left on device')
  expect(explain(initdb)).toMatch(/is full/)
  expect(explain(new Error('outer', { cause: initdb }))).toMatch(/is full/)
  expect(explain(Object.assign(new Error('could not extend file: No space left on device'), { code: '53100' }))).toMatch(/is full/)
  expect(explain(new Error('PostgreSQL did not start (exit code 1):\nRead-only file system'))).toMatch(/cannot be written/)
})

test('an error of anything else stays as it is', () => {
  expect(explain(ofFile('ENOSPC', '/elsewhere/file'))).toBeUndefined()
  expect(explain(ofFile('EACCES', `${folder}-of-another`))).toBeUndefined()
  expect(explain(new Error('Port 80 is closed to ordinary users (EACCES)'))).toBeUndefined()
  expect(explain('no error')).toBeUndefined()
})
