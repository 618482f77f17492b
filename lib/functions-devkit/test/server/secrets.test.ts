import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { keepSecrets } from '../../src/server/secrets.ts'

let folder: string
const file = () => join(folder, 'secrets.json')

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'secrets-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

describe('the local secrets', () => {
  test('are made at the first start and stay the same', () => {
    const made = keepSecrets(folder)
    expect(keepSecrets(folder)).toEqual(made)
    expect(readdirSync(folder)).toEqual(['secrets.json'])
  })

  test('have 32 random bytes each in the form their readers expect', () => {
    const { webhookSecret, apiKey } = keepSecrets(folder)
    expect(Buffer.from(webhookSecret.replace(/^whsec_/, ''), 'base64')).toHaveLength(32)
    expect(apiKey).toMatch(/^key_[\w-]{43}$/)
  })

  test('are for their owner alone, even if the file came with wider rights', () => {
    keepSecrets(folder)
    expect(statSync(file()).mode & 0o777).toBe(0o600)
    chmodSync(file(), 0o644)
    keepSecrets(folder)
    expect(statSync(file()).mode & 0o777).toBe(0o600)
  })

  test.each([
    ['is cut off', '{"webhookSec'],
    ['lacks one', '{"webhookSecret":"whsec_x","databasePassword":"p"}'],
    ['is no object', 'null'],
  ])('are not made anew over a file that %s', (_what, content) => {
    writeFileSync(file(), content)
    expect(() => keepSecrets(folder)).toThrow('begin anew')
    expect(readFileSync(file(), 'utf8')).toBe(content)
  })
})
