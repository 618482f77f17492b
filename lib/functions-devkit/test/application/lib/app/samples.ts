import type { Samples, Smoke } from '../../../../../functions-runtime/src/api/samples.ts'

export const samples: Samples = {
  eventType: 'transaction.completed',
  eventData: (type, freshId) =>
    type === 'transaction.completed' ? { transactionId: `txn_${freshId()}`, userId: `usr_${freshId()}`, amount: '12.50', currency: 'EUR' } : {},
  requests: [{ title: 'A new user', method: 'POST', path: '/user', body: freshId => ({ email: `ada+${freshId()}@example.com`, name: 'Ada' }) }],
}

export const smoke: Smoke = {
  scopes: ['users:read', 'users:write'],
  checks() {
    let path = ''
    return [
      {
        name: 'user created',
        async run({ mark, call }) {
          const email = `smoke-${mark}@example.com`
          const { id } = await call({ method: 'POST', path: '/user', body: { email, name: 'Smoke' } }, { status: 201, fields: { email } })
          path = `/user/${String(id)}`
          return `201, ${String(id)}`
        },
      },
      {
        name: 'user read',
        async run({ mark, call }) {
          await call({ path }, { status: 200, fields: { email: `smoke-${mark}@example.com` } })
          return '200'
        },
      },
      {
        name: 'user without a key',
        async run({ call }) {
          await call({ path, withoutKey: true }, { status: 401 })
          return 'refused with 401'
        },
      },
      {
        name: 'user deleted',
        async run({ call }) {
          await call({ method: 'DELETE', path }, { status: 204 })
          const { code } = await call({ path }, { status: 404 })
          if (code !== 'not-found') throw new Error(`answered 404 with the code ${String(code)}`)
          return '204, then 404'
        },
      },
    ]
  },
}
