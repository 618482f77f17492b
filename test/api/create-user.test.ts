import { expect, it } from 'vitest'
import { main } from '../../packages/api/user/index.ts'
import { apiKey, call, withFunctions } from '../../lib/functions-devkit/test/support/functions.ts'

const headers = { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` }
const create = (body: unknown, more: Record<string, string> = {}) =>
  call(main, { method: 'POST', headers: { ...headers, ...more }, body: typeof body === 'string' ? body : JSON.stringify(body) })
const ada = { email: ' Ada@Example.com ', name: 'Ada' }

it('creates a user and reads it again', async () => {
  await withFunctions([main], async () => {
    const created = await create(ada)
    expect(created).toMatchObject({ statusCode: 201, body: { email: 'Ada@Example.com', name: 'Ada', externalId: null } })
    const id = String(created.body.id)
    expect(created.headers.location).toBe(`user/${id}`)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/)
    expect(await call(main, { path: `/${id}`, headers })).toMatchObject({ statusCode: 200, body: created.body })
  })
})

it('tells by the names of its sessions which function and which container holds them', async () => {
  await withFunctions([main], async database => {
    const names: string[] = []
    for (let container = 0; container < 2; container += 1) {
      await call(main, { path: '/0198c0de-0000-7000-8000-000000000001', headers })
      const rows = await database.query<{ name: string }>(
        "SELECT application_name AS name FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> ''",
      )
      names.push(...rows.map(({ name }) => name))
      await main.shutdown()
    }
    expect(names).toEqual([expect.stringMatching(/^api\/user:[0-9a-f]{8}$/), expect.stringMatching(/^api\/user:[0-9a-f]{8}$/)])
    expect(new Set(names).size).toBe(2)
  })
})

it('takes an email address and an external id only once, whatever the letter case', async () => {
  await withFunctions([main], async () => {
    await create({ ...ada, externalId: 'usr_1' })
    expect(await create({ email: 'ada@EXAMPLE.com', name: 'Eve' })).toMatchObject({ statusCode: 409, body: { code: 'email-taken' } })
    expect(await create({ email: 'eve@example.com', name: 'Eve', externalId: 'usr_1' })).toMatchObject({
      statusCode: 409,
      body: { code: 'external-id-taken' },
    })
  })
})

it.each([
  ['no key', { authorization: '' }, 'key-missing'],
  ['another scheme', { authorization: `Basic ${apiKey}` }, 'key-missing'],
  ['another key', { authorization: `Bearer ${apiKey}x` }, 'key-invalid'],
])('refuses %s', async (_what, more, code) => {
  await withFunctions([main], async database => {
    const answer = await create(ada, more)
    expect(answer).toMatchObject({ statusCode: 401, headers: { 'www-authenticate': 'Bearer' }, body: { code } })
    expect(await call(main, { path: '/0192b7f0-0000-7000-8000-000000000001', headers: { ...headers, ...more } })).toMatchObject({ statusCode: 401 })
    expect(await database.query('SELECT * FROM users')).toEqual([])
  })
})

it.each([
  ['no body', '', 400],
  ['no object', '"x"', 422],
  ['no email address', { name: 'Ada' }, 422],
  ['an email address that is none', { ...ada, email: 'ada' }, 422],
  ['an empty name', { ...ada, name: '  ' }, 422],
  ['a name too long', { ...ada, name: 'x'.repeat(201) }, 422],
  ['a name with NUL', { ...ada, name: 'a\u0000' }, 422],
  ['a name with a lone surrogate', '{"email":"a@example.com","name":"a\\ud800"}', 422],
  ['a key that is not known', { ...ada, admin: true }, 422],
])('refuses %s', async (_what, body, status) => {
  await withFunctions([main], async database => {
    expect((await create(body)).statusCode).toBe(status)
    expect(await database.query('SELECT * FROM users')).toEqual([])
  })
})

it.each(['0192b7f0-0000-7000-8000-000000000001', 'nobody', "1' OR '1'='1"])('knows no user %j', async id => {
  await withFunctions([main], async () => {
    expect(await call(main, { path: `/${encodeURIComponent(id)}`, headers })).toMatchObject({ statusCode: 404, body: { code: 'user-unknown' } })
  })
})
