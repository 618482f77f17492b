import type { SmokeCheck, SmokeTools } from '../../functions-runtime/src/api/samples.ts'
import { SMOKE_MARK } from './smoke-mark.ts'

/** Creates a user, reads it and erases it. */
export function createUserChecks(): readonly SmokeCheck[] {
  let path: string | undefined

  async function create({ mark, call }: SmokeTools): Promise<string> {
    const user = { email: `smoke-${mark}@example.com`, name: 'Smoke test', externalId: `${SMOKE_MARK}${mark}` }
    const { id } = await call(
      { method: 'POST', path: '/user', headers: { 'idempotency-key': `smoke_${mark}` }, body: user },
      { status: 201, fields: { email: user.email, externalId: user.externalId } },
    )
    return String(id)
  }

  function created(): string {
    if (path === undefined) throw new Error('there is no user to do it with')
    return path
  }

  return [
    {
      name: 'user created',
      async run(tools) {
        const id = await create(tools)
        path = `/user/${id}`
        return `201, ${id}`
      },
    },
    {
      name: 'created once',
      async run(tools) {
        if (`/user/${await create(tools)}` !== created()) throw new Error('the same Idempotency-Key made another user')
        return 'the same answer for the same Idempotency-Key'
      },
    },
    {
      name: 'user read',
      async run({ mark, call }) {
        await call({ path: created() }, { status: 200, fields: { email: `smoke-${mark}@example.com` } })
        return '200'
      },
    },
    {
      name: 'user without a key',
      async run({ call }) {
        await call({ path: created(), withoutKey: true }, { status: 401 })
        return 'refused with 401'
      },
    },
    {
      name: 'user erased',
      async run({ call }) {
        await call({ method: 'DELETE', path: created() }, { status: 204 })
        await call({ path: created() }, { status: 404 })
        return '204, then 404'
      },
    },
  ]
}
