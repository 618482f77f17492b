import { expect, it } from 'vitest'
import { noteCaller, withCaller } from '../src/call-site.ts'
import { noFacts, runInvocation } from '../src/invocation-scope.ts'

/** A call whose error arrives later, and knows nothing of who asked. */
async function query(): Promise<never> {
  const caller = noteCaller()
  const error = await new Promise<Error>(resolve => setTimeout(() => resolve(new Error('from the socket')), 1))
  throw withCaller(error, caller)
}
const callingCode = () => query()
const stackOf = async (marksCalls: boolean) =>
  runInvocation(() => callingCode().catch((error: unknown) => (error as Error).stack ?? ''), noFacts(), { marksCalls })

it('adds the calling code to the stack of a late error', async () => {
  expect(await stackOf(true)).toMatch(/^Error: from the socket\n[\s\S]*at callingCode .*call-site\.test\.ts/)
})

it('leaves the stack alone unless the invocation marks its calls', async () => {
  expect(await stackOf(false)).not.toContain('callingCode')
  expect(noteCaller()).toBeUndefined()
})

it('adds no frame twice, and takes anything that is thrown', () => {
  const caller = new Error('the caller')
  const error = withCaller(new Error('late'), caller)
  const once = error.stack
  expect(withCaller(error, caller).stack).toBe(once)
  expect(withCaller('a text', caller)).toBe('a text')
})
