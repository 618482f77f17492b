import { describe, expect, it } from 'vitest'
import { wrongBalances } from '../support/balances.ts'
import { api, newUser, pay, readAll, withApi } from '../support/api.ts'
import { apiKey, call, withFunctions } from '../../lib/functions-devkit/test/support/functions.ts'
import { completedTransaction, eventBody, signedHeaders } from '../../lib/functions-devkit/test/support/webhooks.ts'
import { main as users } from '../../packages/api/user/index.ts'
import { main as webhooks } from '../../packages/api/webhook/index.ts'

const ada = { email: 'Ada@Example.com', name: 'Ada' }
const keyed = (key: string) => ({ 'idempotency-key': key })
const idsOf = (items: Record<string, unknown>[]) => items.map(({ id }) => id)

describe('a create with an idempotency key', () => {
  it('is answered the same again, also after the user was changed', async () => {
    await withApi(async database => {
      const first = await api('POST /', { body: ada, headers: keyed('k1') })
      await api(`PATCH /${String(first.body.id)}`, { body: { name: 'Eve' }, headers: { 'if-match': '*' } })
      const again = await api('POST /', { body: { name: 'Ada', email: ' Ada@Example.com ' }, headers: keyed('k1') })
      expect({ ...again, headers: { ...again.headers, 'x-request-id': first.headers['x-request-id'] } }).toEqual(first)
      expect(await database.query('SELECT 1 FROM users')).toHaveLength(1)
    })
  })

  it('is refused with other content, and on another path', async () => {
    await withApi(async () => {
      const user = await newUser()
      await api('POST /', { body: ada, headers: keyed('k1') })
      for (const answer of [
        await api('POST /', { body: { ...ada, name: 'Eve', externalId: 'usr_9' }, headers: keyed('k1') }),
        await pay(user, {}, 'k1'),
      ]) {
        expect(answer).toMatchObject({ statusCode: 422, body: { code: 'idempotency-key-reused' } })
      }
    })
  })

  it('that failed leaves the key free', async () => {
    await withApi(async () => {
      const first = await api('POST /', { body: ada })
      expect(await api('POST /', { body: ada, headers: keyed('k1') })).toMatchObject({ statusCode: 409, body: { code: 'email-taken' } })
      await api(`DELETE /${String(first.body.id)}`)
      expect(await api('POST /', { body: ada, headers: keyed('k1') })).toMatchObject({ statusCode: 201 })
    })
  })

  it('that comes while the first is being worked on waits for it, and is told to come back when that takes too long', async () => {
    await withApi(async database => {
      // Somebody else's transaction has the key and does not end.
      await database.query('BEGIN')
      await database.query(
        "INSERT INTO idempotency_keys (id, caller, key, user_id, created_at) VALUES (gen_random_uuid(), 'test', 'k1', gen_random_uuid(), now())",
      )
      const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', ...keyed('k1') }
      const waiting = call(users, { method: 'POST', headers, body: JSON.stringify(ada) }, { getRemainingTimeInMillis: () => 4_000 })
      expect(await waiting).toMatchObject({ statusCode: 409, headers: { 'retry-after': '2' }, body: { code: 'request-in-progress' } })
      const patient = api('POST /', { body: ada, headers: keyed('k1') })
      await database.query('ROLLBACK')
      expect(await patient).toMatchObject({ statusCode: 201 })
    })
  })

  it.each(['a b', 'ü', 'x'.repeat(256)])('is refused when the key is %j', async key => {
    await withApi(async () => {
      expect(await api('POST /', { body: ada, headers: keyed(key) })).toMatchObject({ statusCode: 400, body: { code: 'idempotency-key-invalid' } })
    })
  })
})

describe('the list of users', () => {
  it('is given newest first, page by page, with a link to the next one', async () => {
    await withApi(async () => {
      const ids = []
      for (let count = 0; count < 5; count += 1) ids.unshift(await newUser())
      const first = await api('GET /', { query: 'limit=2' })
      expect(idsOf(first.body.items as [])).toEqual(ids.slice(0, 2))
      expect(first.headers.link).toBe(`<?limit=2&cursor=${String(first.body.next)}>; rel="next"`)
      const second = await api('GET /', { query: /<\?(.*)>/.exec(first.headers.link ?? '')?.[1] ?? '' })
      expect(idsOf(second.body.items as [])).toEqual(ids.slice(2, 4))
      const all = await readAll('GET /', { query: 'limit=2' })
      expect(idsOf(all)).toEqual(ids)
    })
  })

  it('misses and repeats nobody who is there throughout, whoever comes and goes meanwhile', async () => {
    await withApi(async database => {
      // Many at the same instant: then the id decides.
      await database.query(`INSERT INTO users (id, email, name, created_at, updated_at)
        SELECT gen_random_uuid(), n || '@example.com', 'n', now() - make_interval(secs => n / 4), now() FROM generate_series(1, 60) n`)
      const gone = (await database.query<{ id: string }>("SELECT id FROM users WHERE email LIKE '%7@example.com'")).map(({ id }) => id)
      const stay = (await database.query<{ id: string }>('SELECT id FROM users')).map(({ id }) => id).filter(id => !gone.includes(id))
      const seen = await readAll('GET /', {
        query: 'limit=7',
        between: async () => {
          await newUser()
          const id = gone.pop()
          if (id !== undefined) await api(`DELETE /${id}`)
        },
      })
      const ids = idsOf(seen)
      expect(ids.filter(id => stay.includes(String(id))).sort()).toEqual(stay.sort())
      expect(new Set(ids).size).toBe(ids.length)
    })
  })

  it('is filtered by address in any letter case, external id, and time of creation', async () => {
    await withApi(async database => {
      const one = await newUser({ email: 'One@example.com', externalId: 'usr_1' })
      const other = await newUser()
      await database.query("UPDATE users SET created_at = '2026-01-01T00:00:00Z' WHERE id = $1", [one])
      const found = async (query: string) => idsOf((await api('GET /', { query })).body.items as [])
      expect(await found('email=one%40EXAMPLE.com')).toEqual([one])
      expect(await found('externalId=usr_1')).toEqual([one])
      expect(await found('externalId=usr_2')).toEqual([])
      expect(await found('createdBefore=2026-01-01T00:00:01Z')).toEqual([one])
      expect(await found('createdBefore=2026-01-01T00:00:00Z')).toEqual([])
      expect(await found('createdAfter=2026-01-01T01:00:00%2B01:00')).toEqual([other])
    })
  })

  it.each([
    ['limit=0', 422],
    ['limit=101', 422],
    ['limit=1e1', 422],
    ['limit=', 422],
    ['limit=1&limit=2', 422],
    ['email=nobody', 422],
    ['createdAfter=yesterday', 422],
    ['unknown=1', 422],
    ['__proto__=1', 422],
    ['externalId=%00', 422],
    ['cursor=abc', 400],
    ['cursor=', 400],
  ])('is refused for %s', async (query, status) => {
    await withApi(async () => {
      expect((await api('GET /', { query })).statusCode).toBe(status)
    })
  })
})

describe('a change of a user', () => {
  it('takes name and address, and gives another entity tag', async () => {
    await withApi(async () => {
      const created = await api('POST /', { body: ada })
      const path = String(created.body.id)
      const read = await api(`GET /${path}`)
      expect(read.headers.etag).toBe(created.headers.etag)
      const headers = { 'if-match': `"other", ${read.headers.etag}`, 'content-type': 'application/merge-patch+json' }
      const changed = await api(`PATCH /${path}`, { body: { email: 'eve@example.com' }, headers })
      expect(changed).toMatchObject({ statusCode: 200, body: { id: path, email: 'eve@example.com', name: 'Ada', externalId: null } })
      expect(changed.headers.etag).not.toBe(read.headers.etag)
      expect(await api(`GET /${path}`)).toMatchObject({ body: changed.body, headers: { etag: changed.headers.etag } })
      expect(await api(`PATCH /${path}`, { body: { name: 'Eve' }, headers })).toMatchObject({ statusCode: 412, body: { code: 'user-changed' } })
    })
  })

  it('lets one of two pass who saw the same', async () => {
    await withApi(
      async database => {
        const id = await newUser()
        const { headers } = await api(`GET /${id}`)
        const patch = (name: string) => api(`PATCH /${id}`, { body: { name }, headers: { 'if-match': headers.etag ?? '' } })
        // Neither is done before the other has begun.
        await database.query('BEGIN')
        await database.query('SELECT 1 FROM users FOR UPDATE')
        const patching = Promise.all([patch('Eve'), patch('Mallory')])
        await expect.poll(() => database.query('SELECT 1 FROM pg_locks WHERE NOT granted'), { interval: 5 }).toHaveLength(2)
        await database.query('COMMIT')
        expect((await patching).map(({ statusCode }) => statusCode).sort()).toEqual([200, 412])
      },
      { DB_POOL_MAX: '2' },
    )
  })

  it('that changes nothing is answered the same, with the same entity tag', async () => {
    await withApi(async () => {
      const id = await newUser()
      const { headers, body } = await api(`GET /${id}`)
      for (const patch of [{}, { name: 'Ada' }]) {
        expect(await api(`PATCH /${id}`, { body: patch, headers: { 'if-match': '*' } })).toMatchObject({
          statusCode: 200,
          body,
          headers: { etag: headers.etag },
        })
      }
    })
  })

  it.each<[string, unknown, string | undefined, number]>([
    ['no If-Match', { name: 'Eve' }, undefined, 428],
    ['an If-Match that is none', { name: 'Eve' }, 'abc', 400],
    ['a weak tag', { name: 'Eve' }, 'W/"abc"', 412],
    ['a name taken away', { name: null }, '*', 422],
    ['another field', { externalId: 'usr_2' }, '*', 422],
    ["somebody else's address", { email: 'EVE@example.com' }, '*', 409],
  ])('is refused with %s', async (_what, body, match, status) => {
    await withApi(async () => {
      await newUser({ email: 'eve@example.com' })
      const id = await newUser()
      expect((await api(`PATCH /${id}`, { body, headers: match === undefined ? {} : { 'if-match': match } })).statusCode).toBe(status)
      expect(await api(`GET /${id}`)).toMatchObject({ body: { name: 'Ada' } })
    })
  })
})

it('that an event made is not created after the instant at which the API shows it was', async () => {
  await withFunctions([users, webhooks], async () => {
    const event = eventBody('user.created', { userId: 'usr_1', email: 'ada@example.com', name: 'Ada' })
    await call(webhooks, { method: 'POST', path: '/demo', headers: signedHeaders(event), body: event })
    const { body } = await api('GET /')
    const [made] = body.items as { createdAt: string }[]
    expect((await api('GET /', { query: `createdAfter=${made?.createdAt}` })).body).toEqual({ items: [], next: null })
  })
})

describe('an erased user', () => {
  it('leaves nothing that tells of the person, and its transactions without a link', async () => {
    await withFunctions([users, webhooks], async database => {
      const from = { 'x-forwarded-for': '203.0.113.7, 10.0.0.1', 'user-agent': 'agent-of-grace' }
      const made = await api('POST /', {
        body: { email: 'grace@example.com', name: 'Grace Hopper', externalId: 'usr_1' },
        headers: { ...keyed('k1'), ...from },
      })
      const id = String(made.body.id)
      await api(`PATCH /${id}`, { body: { name: 'Grace Murray' }, headers: { 'if-match': '*', ...from } })
      await pay(id, { status: 'completed' })
      const event = completedTransaction({ userId: 'usr_1' })
      await call(webhooks, { method: 'POST', path: '/demo', headers: signedHeaders(event), body: event })
      expect(await api(`DELETE /${id}`, { headers: from })).toMatchObject({ statusCode: 204 })

      const dump = async () => {
        const tables = ['users', 'activities', 'transactions', 'balances', 'idempotency_keys', 'webhook_events']
        const rows = await Promise.all(
          tables.map(table =>
            database.query(
              `SELECT row_to_json(t) AS row, convert_from(coalesce(${table === 'webhook_events' ? 'body' : "''::bytea"}, ''), 'UTF8') AS body FROM ${table} t`,
            ),
          ),
        )
        return JSON.stringify(rows)
      }
      expect(await dump()).not.toMatch(/grace|hopper|203\.0\.113|murray/i)
      expect(await database.query('SELECT external_id, erased_at IS NOT NULL AS erased, activities_due_at FROM users')).toEqual([
        { external_id: 'usr_1', erased: true, activities_due_at: null },
      ])
      expect(await database.query('SELECT user_id, user_external_id, status FROM transactions')).toEqual([
        { user_id: null, user_external_id: null, status: 'completed' },
        { user_id: null, user_external_id: null, status: 'completed' },
      ])
      expect(await database.query('SELECT user_id, outcome, body FROM webhook_events')).toEqual([{ user_id: null, outcome: 'applied', body: null }])
      expect(await database.query('SELECT 1 FROM balances')).toEqual([])
      expect((await database.query('SELECT kind FROM activities ORDER BY created_at')).map(({ kind }) => kind as string)).toEqual([
        'user.created',
        'user.updated',
        'transaction.created',
        'user.erased',
      ])

      // Late events and late repetitions bring nobody back, and leave no trace of what they said.
      const told = JSON.stringify({ type: 'user.updated', data: { userId: 'usr_1', email: 'grace@example.com', name: 'Grace Hopper' } })
      for (const late of [completedTransaction({ userId: 'usr_1' }), told]) {
        const answer = await call(webhooks, { method: 'POST', path: '/demo', headers: signedHeaders(late), body: late })
        expect(answer).toMatchObject({ statusCode: 200, body: { outcome: 'applied' } })
      }
      expect(await dump()).not.toMatch(/grace|hopper/i)
      const again = await api('POST /', { body: { email: 'grace@example.com', name: 'Grace Hopper', externalId: 'usr_1' }, headers: keyed('k1') })
      expect(again).toMatchObject({ statusCode: 404, body: { code: 'user-unknown' } })
      const anew = await api('POST /', { body: { email: 'grace@example.com', name: 'Grace Hopper', externalId: 'usr_1' } })
      expect(anew).toMatchObject({ statusCode: 409, body: { code: 'external-id-taken' } })
      expect(await database.query('SELECT 1 FROM transactions WHERE user_id IS NOT NULL OR user_external_id IS NOT NULL')).toEqual([])
    })
  })

  it('is unknown everywhere, as is one that never was', async () => {
    await withApi(async () => {
      const erased = await newUser()
      const transaction = String((await pay(erased)).body.id)
      await api(`DELETE /${erased}`)
      for (const id of [erased, '0192b7f0-0000-7000-8000-000000000001', 'nobody']) {
        const answers = [
          await api(`GET /${id}`),
          await api(`PATCH /${id}`, { body: { name: 'Eve' }, headers: { 'if-match': '*' } }),
          await api(`DELETE /${id}`),
          await api(`GET /${id}/activity`),
          await api(`GET /${id}/balances`),
          await pay(id),
          await api(`GET /${id}/transactions`),
          await api(`GET /${id}/transactions/${transaction}`),
          await api(`PATCH /${id}/transactions/${transaction}`, { body: { status: 'completed' } }),
        ]
        expect(answers.map(({ statusCode, body }) => `${statusCode} ${String(body.code)}`)).toEqual(answers.map(() => '404 user-unknown'))
      }
      expect((await api('GET /')).body).toEqual({ items: [], next: null })
    })
  })

  it('is given no transaction by somebody who asked before and was served after', async () => {
    await withApi(async database => {
      const id = await newUser()
      await database.query('BEGIN')
      await database.query('SELECT 1 FROM users FOR UPDATE')
      await database.query('UPDATE users SET email = NULL, name = NULL, erased_at = now()')
      const paid = pay(id, { status: 'completed' })
      await expect.poll(() => database.query('SELECT 1 FROM pg_locks WHERE NOT granted'), { interval: 5 }).not.toEqual([])
      await database.query('COMMIT')
      expect(await paid).toMatchObject({ statusCode: 404, body: { code: 'user-unknown' } })
      expect(await database.query('SELECT 1 FROM transactions UNION ALL SELECT 1 FROM balances')).toEqual([])
    })
  })

  it('is erased once by many who ask at once, while others pay for that user', async () => {
    await withApi(async database => {
      const id = await newUser({ externalId: 'usr_1' })
      const answers = await Promise.all([
        ...Array.from({ length: 10 }, () => pay(id, { status: 'completed' })),
        ...Array.from({ length: 3 }, () => api(`DELETE /${id}`)),
        ...Array.from({ length: 10 }, () => pay(id, { status: 'completed' })),
      ])
      expect(answers.filter(({ statusCode }) => statusCode === 204)).toHaveLength(1)
      expect(answers.every(({ statusCode }) => [201, 204, 404].includes(statusCode))).toBe(true)
      const paid = answers.filter(({ statusCode }) => statusCode === 201).length
      expect(await database.query('SELECT user_id FROM transactions')).toEqual(Array.from({ length: paid }, () => ({ user_id: null })))
      expect(await database.query('SELECT 1 FROM balances')).toEqual([])
      expect(await wrongBalances(database)).toEqual([])
    })
  })
})
