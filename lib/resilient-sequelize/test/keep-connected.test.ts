import { expect, it } from 'vitest'
import { profiles } from '../src/pool/profile.ts'
import { keepConnected } from '../src/pool/keep-connected.ts'
import { createLogger } from '../../functions-runtime/src/telemetry/logger.ts'

const logger = createLogger({ name: 'test', level: 'silent' })
const background = profiles.server.background ?? expect.unreachable()

/** Runs the loop on answers of the health check, without waiting; gives the delays it asked for. */
async function delaysFor(answers: boolean[], random: () => number): Promise<number[]> {
  const delays: number[] = []
  const stop = new AbortController()
  const isConnectionHealthy = async () => {
    const answer = answers.shift()
    if (answer === undefined) stop.abort(new Error('no more answers'))
    return answer ?? true
  }
  const wait = async (ms: number, signal: AbortSignal) => {
    signal.throwIfAborted()
    delays.push(ms)
  }
  await keepConnected({ ...background, manager: { isConnectionHealthy }, logger, signal: stop.signal, random, wait })
  return delays
}

it('checks every 30 s while the database answers', async () => {
  expect(await delaysFor([true, true], () => 1)).toEqual([30_000, 30_000, 30_000])
})

it('reconnects with doubling delays up to a minute, rests after ten attempts, and begins again', async () => {
  const lost = Array<boolean>(22).fill(false)
  const round = [5_000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000]
  expect(await delaysFor(lost, () => 1)).toEqual([30_000, ...round, 30_000, ...round, 30_000])
})

it('spreads its delays over the upper half', async () => {
  expect((await delaysFor([false, false, false, true], () => 0)).slice(1, 4)).toEqual([2_500, 5_000, 10_000])
})

it('goes back to checking once the database is there again', async () => {
  expect(await delaysFor([false, false, true, true], () => 1)).toEqual([30_000, 5_000, 10_000, 30_000, 30_000])
})
