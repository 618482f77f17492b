import { expect, it } from 'vitest'
import { holdForInvocation, runInvocation } from '../src/invocation-scope.ts'

it('lets go of what the invocation still holds, and of nothing else', async () => {
  const letGo: string[] = []
  const other = Promise.withResolvers<void>()
  const running = runInvocation(async () => {
    holdForInvocation(() => void letGo.push('other'))
    await other.promise
  })
  await runInvocation(async () => {
    holdForInvocation(() => void letGo.push('kept'))
    holdForInvocation(() => void letGo.push('given back'))()
  })
  expect(letGo).toEqual(['kept'])
  other.resolve()
  await running
  expect(letGo).toEqual(['kept', 'other'])
})

it('lets go when the invocation fails, too', async () => {
  const letGo: string[] = []
  await expect(
    runInvocation(async () => {
      holdForInvocation(() => void letGo.push('held'))
      throw new Error('no')
    }),
  ).rejects.toThrow('no')
  expect(letGo).toEqual(['held'])
})

it('holds nothing for work outside of an invocation', () => {
  expect(holdForInvocation(() => expect.unreachable())).toBeTypeOf('function')
})
