import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
import { untilAborted, wait } from '../src/wait.ts'

it('waits, and leaves no listener on the signal', async () => {
  const { signal } = new AbortController()
  await wait(1, signal)
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})

it('stops waiting as soon as the signal aborts', async () => {
  const controller = new AbortController()
  const waiting = wait(60_000, controller.signal)
  controller.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
})

it('does not begin to wait on a signal that has aborted', async () => {
  await expect(wait(60_000, AbortSignal.abort(new Error('before')))).rejects.toThrow('before')
})

it('settles as the work does', async () => {
  const { signal } = new AbortController()
  await expect(untilAborted(Promise.resolve(1), signal)).resolves.toBe(1)
  await expect(untilAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no')
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})

it('leaves work that fails later unheard', async () => {
  const controller = new AbortController()
  const late = Promise.withResolvers<never>()
  const result = untilAborted(late.promise, controller.signal)
  controller.abort(new Error('time is over'))
  await expect(result).rejects.toThrow('time is over')
  late.reject(new Error('late'))
  await expect(untilAborted(Promise.reject(new Error('later still')), controller.signal)).rejects.toThrow('time is over')
})
