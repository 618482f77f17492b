import { expect, test } from 'vitest'
import { useNpmStart } from '../../lib/functions-devkit/test/support/npm-start.ts'
import { edit, expectNoticed, rowsOf, smokeFrom, type Exchange, type Wrong } from '../../lib/functions-devkit/test/support/smoke.ts'

const npmStart = useNpmStart()
const isUser = ({ path }: Exchange) => path.startsWith('/user/')

const WRONG: readonly Wrong[] = [
  ['created once', one => one.path === '/user' && one.before === 1 && edit(one, { id: 'another' }), /the same Idempotency-Key made another user/],
  [
    'user read',
    one => isUser(one) && one.method === 'GET' && one.before === 0 && edit(one, { email: 'b@example.com' }),
    /with email "b@example.com"/,
  ],
  ['user without a key', one => void (isUser(one) && !one.authorized && (one.status = 200)), /answered 200 .*instead of 401/],
  ['user erased', one => void (isUser(one) && one.method === 'GET' && one.before === 2 && (one.status = 200)), /answered 200 .*instead of 404/],
]

test('npm run smoke leaves one tombstone, and names what is wrong with users', async () => {
  const server = await npmStart.launchAndWait()
  const { code, output } = await smokeFrom(npmStart.checkout, [], { data: npmStart.data })
  expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('All is well.') as string })
  const names = ['user created', 'created once', 'user read', 'user without a key', 'user erased']
  for (const name of names) expect(output).toMatch(new RegExp(`^ok {4}${name} `, 'm'))
  expect(await rowsOf(server, "SELECT email, external_id LIKE 'smoke-test:%' AS marked, erased_at < now() AS erased FROM users")).toEqual([
    { email: null, marked: true, erased: true },
  ])
  await expectNoticed(server, npmStart.data, WRONG)
})
