import { setTimeout as sleep } from 'node:timers/promises'
import { type Proxy } from '../../proxy/proxy.ts'
import { type AddedFault } from '../../proxy/faults.ts'
import { type Ground } from '../ground.ts'
import { type Step, type StrikeAt } from './schedule.ts'
import { type Seats } from './seats.ts'

/** Everything that a schedule does to a run beside its requests. */
export interface Disturber {
  /** Begins a step. */
  begin(step: Disturbance): void
  /** Waits until every step has ended, and takes back what waits for its moment. */
  end(): Promise<void>
}

export type Disturbance = Exclude<Step, { do: 'send' | 'maintain' }>

const PLACES: Readonly<Record<StrikeAt, RegExp | string>> = { COMMIT: 'COMMIT', INSERT: /^\s*(?:WITH\b[^]*)?INSERT\b/i, 'any statement': /^/ }
// Of each direction.
const SLOW_MS = 25

/** Makes the disturber of one run. */
export function disturberOf({ proxy, ground, seats }: { proxy: Proxy; ground: Ground; seats: Seats }): Disturber {
  const under: Promise<void>[] = []
  const waiting: AddedFault[] = []
  const networks = { silent: 0, away: 0, slow: 0 }
  let restarting: Promise<void> | undefined

  function run(step: Disturbance): void | Promise<void> {
    switch (step.do) {
      case 'cut':
        return proxy.cutAll(step.how)
      case 'network':
        return network(step)
      case 'strike':
        return void waiting.push(proxy.addFault({ on: 'statement', matches: PLACES[step.at], when: step.when, action: step.how }))
      case 'pause':
        return seats.pause(step.container, step.ms)
      case 'kill':
        return seats.kill(step.container)
      case 'restart':
        // One that comes while the server is away finds nothing to stop.
        return (restarting ??= restart(step).finally(() => (restarting = undefined)))
      default:
        return step satisfies never
    }
  }

  // Each of these may be drawn while it holds already.
  async function network({ how, ms }: Disturbance & { do: 'network' }): Promise<void> {
    networks[how] += 1
    if (how === 'silent') proxy.silence()
    else if (how === 'slow') proxy.setDelay(SLOW_MS)
    else {
      await proxy.refuse('reset')
      proxy.cutAll('reset')
    }
    await sleep(ms)
    networks[how] -= 1
    if (networks[how] > 0) return
    if (how === 'silent') proxy.unsilence()
    else if (how === 'slow') proxy.setDelay(0)
    else await proxy.accept()
  }

  async function restart({ how, ms }: Disturbance & { do: 'restart' }): Promise<void> {
    if (how === 'killed') ground.kill()
    else await ground.stop(how)
    await sleep(ms)
    await ground.restart()
  }

  return {
    begin(step) {
      const done = run(step)
      if (done !== undefined) under.push(done)
    },
    async end() {
      await Promise.all(under)
      for (const fault of waiting) fault.remove()
      // TCP notices in the end that a silent connection is gone.
      proxy.cutAll('reset')
    },
  }
}
