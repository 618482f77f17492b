import { setTimeout as sleep } from 'node:timers/promises'
import { type CallOutcome, type Client } from '../client/client.ts'
import { type Variables } from '../client/orders.ts'
import { type Spares } from '../client/spares.ts'
import { type PlatformEvent } from '../../../../functions-devkit/src/server/platform/event.ts'
import { openLanes, type Lanes } from '../../matrix/lanes.ts'
import { type ContainerPlan, type Version } from './schedule.ts'

/** The containers of one run. Each takes one call at a time; one that is gone is replaced. */
export interface Seats {
  /** Takes the processes of functions in every container. */
  prepare(functionNames: readonly string[]): Promise<void>
  /** Calls a function in a container once that is free. `begun` is called when the call begins. */
  call(functionName: string, container: number, call: SeatCall): Promise<SeatOutcome>
  kill(container: number): void
  /** Stops the container's processes for a while, as the platform does between calls. */
  pause(container: number, ms: number): Promise<void>
  /** Ends what the calls have built, in every container. Returns what those have printed that are still there. */
  shutdown(): Promise<string>
}

export interface SeatCall {
  readonly event: () => PlatformEvent
  readonly deadlineMs: number
  readonly begun?: () => void
}

/** `paused`: it had no answer in time because its container was stopped. */
export type SeatOutcome = CallOutcome | { readonly outcome: 'paused' }

export interface SeatsOptions {
  readonly plans: readonly ContainerPlan[]
  readonly spares: Readonly<Record<Version, Spares>>
  readonly variablesOf: (functionName: string) => Variables
}

const YES_OR_NO = [() => true, () => false] as const

interface Seat {
  readonly plan: ContainerPlan
  readonly inTurn: Lanes
  client: Client | undefined
  /** `performance.now()` at the end of its last pause. */
  pausedUntil: number
}

/** Opens seats. A process that is not there is taken with the next call. */
export function openSeats({ plans, spares, variablesOf }: SeatsOptions): Seats {
  const seats = new Map<string, Seat>()
  const placeOf = (container: number) => container % plans.length
  const of = (container: number) => [...seats].filter(([name]) => name.startsWith(`${placeOf(container)} `)).map(([, seat]) => seat)

  function seatOf(functionName: string, container: number): Seat {
    const place = placeOf(container)
    const name = `${place} ${functionName}`
    const plan = plans[place]
    if (plan === undefined) throw new Error('A schedule needs a container')
    const seat = seats.get(name) ?? { plan, inTurn: openLanes(1), client: undefined, pausedUntil: 0 }
    seats.set(name, seat)
    return seat
  }

  async function clientOf(seat: Seat, functionName: string): Promise<Client> {
    if (seat.client?.isUsable()) return seat.client
    const { version, clockMs } = seat.plan
    const fresh = await spares[version].take(functionName)
    await fresh.begin(variablesOf(functionName), { clockMs })
    seat.client = fresh
    return fresh
  }

  return {
    async prepare(functionNames) {
      const all = plans.flatMap((_, container) => functionNames.map(name => clientOf(seatOf(name, container), name)))
      await Promise.all(all)
    },
    call(functionName, container, { event, deadlineMs, begun }) {
      const seat = seatOf(functionName, container)
      return seat.inTurn(async () => {
        const client = await clientOf(seat, functionName)
        const begunAt = performance.now()
        begun?.()
        const outcome = await client.call(event(), deadlineMs)
        return outcome.outcome === 'hung' && seat.pausedUntil > begunAt ? { outcome: 'paused' } : outcome
      })
    },
    kill(container) {
      for (const { client } of of(container)) client?.kill()
    },
    async pause(container, ms) {
      const paused = of(container).filter(({ client }) => client?.isUsable())
      for (const seat of paused) {
        seat.client?.pause()
        seat.pausedUntil = performance.now() + ms
      }
      await sleep(ms)
      for (const { client } of paused) client?.resume()
    },
    async shutdown() {
      const printed = [...seats].map(async ([name, { client, plan }]) => {
        if (client === undefined) return ''
        // One that cannot end what it has built is killed: what it leaves shows on the server.
        const reusable = client.isUsable() && (await client.begin({}).then(...YES_OR_NO))
        const output = client.takeOutput()
        if (reusable) spares[plan.version].giveBack(client)
        else await client.end()
        return output === '' ? '' : `container ${name}:\n${output}`
      })
      seats.clear()
      return (await Promise.all(printed)).join('')
    },
  }
}
