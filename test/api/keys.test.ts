import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { apiKeySettings } from '../../lib/functions-runtime/src/settings/api-keys.ts'
import { main } from '../../packages/api/user/index.ts'
import { api, newUser, withApi } from '../support/api.ts'
import { apiKey, keySetting } from '../../lib/functions-devkit/test/support/functions.ts'

const root = join(import.meta.dirname, '../..')
const routes = main.operations.map(({ route, scope }) => ({ route, scope }))
const someId = '0192b7f0-0000-7000-8000-000000000001'
const called = (route: string) => route.replaceAll(/\{\w+\}/g, someId)
const newKey = (...words: string[]) =>
  execFileSync('npm', ['run', '--silent', 'keys', '--', 'new', ...words], { cwd: root, encoding: 'utf8', stdio: 'pipe' })

describe('a key', () => {
  it.each(routes)('has to have the scope $scope for $route', async ({ route, scope }) => {
    const lacking = 'key_that-may-do-everything-else'
    const setting = [
      keySetting(apiKey),
      keySetting(
        lacking,
        'lacking',
        main.scopes.filter(one => one !== scope),
      ),
    ].join(' ')
    await withApi(
      async () => {
        expect(await api(called(route), { key: 'another' })).toMatchObject({
          statusCode: 401,
          headers: { 'www-authenticate': 'Bearer' },
          body: { code: 'key-invalid' },
        })
        expect(await api(called(route), { headers: { authorization: '' } })).toMatchObject({ statusCode: 401, body: { code: 'key-missing' } })
        expect(await api(called(route), { key: lacking })).toMatchObject({
          statusCode: 403,
          headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` },
          body: { code: 'scope-missing', scope },
        })
        expect((await api(called(route))).statusCode).not.toBeOneOf([401, 403])
      },
      { API_KEYS: setting },
    )
  })

  it('is replaced without a gap: both are good, and one caller by their name', async () => {
    const [before, after] = ['key_before-before-before', 'key_after-after-after']
    await withApi(
      async () => {
        const body = { email: 'ada@example.com', name: 'Ada' }
        const headers = { 'idempotency-key': 'k1' }
        const created = await api('POST /', { body, headers, key: before })
        expect(await api('POST /', { body, headers, key: after })).toMatchObject({ statusCode: 201, body: created.body })
      },
      { API_KEYS: `${keySetting(before, 'shop')} ${keySetting(after, 'shop')}` },
    )
  })

  it('that `npm run keys` makes is good as soon as the setting has what it prints, which is not the key', async () => {
    const printed = newKey('reader', 'users:read', 'users:write')
    const [key = '', entry = ''] = [...printed.matchAll(/^ {2}(\S+)$/gm)].map(([, line]) => line)
    expect(entry).toMatch(/^reader\/users:read,users:write\/[0-9a-f]{64}$/)
    expect(entry).not.toContain(key)
    expect(newKey('reader', 'users:read')).toMatch(/^ {2}reader\/users:read\/[0-9a-f]{64}$/m)
    await withApi(
      async () => {
        const headers = { authorization: `Bearer ${key}` }
        expect((await api('GET /', { headers })).statusCode).toBe(200)
        expect((await api(`PATCH /${someId}/transactions/${someId}`, { headers })).statusCode).toBe(403)
      },
      { API_KEYS: entry },
    )
  })

  it.each([[[]], [['bad name']], [['reader']], [['reader', 'users:everything']]])('is not made of %j', words => {
    expect(() => newKey(...words)).toThrow(expect.objectContaining({ status: 2 }))
  })

  it.each(['reader', 'reader/users:read/abc', `reader/users!everything/${'0'.repeat(64)}`, `reader//${'0'.repeat(64)}`])(
    'is refused in the setting as %j, without a word of it',
    text => {
      const { issues = [] } = apiKeySettings.parse({ API_KEYS: text })
      expect(issues).toMatchObject([{ variable: 'API_KEYS' }])
      expect(JSON.stringify(issues)).not.toContain('0000')
    },
  )
})

it('gives out its contract without a key', async () => {
  await withApi(async () => {
    expect(await api('GET /openapi.json', { headers: { authorization: '' } })).toMatchObject({ statusCode: 200, body: { openapi: '3.1.0' } })
    expect((await newUser()).length).toBe(36)
  })
})
