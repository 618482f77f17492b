import { setTimeout as sleep } from 'node:timers/promises'
import { type Container } from '../platform/container.ts'
import { invokedEvent, webEvent } from '../platform/events.ts'
import { webAnswer } from '../platform/web-answer.ts'
import { deliveryOf, type Delivery } from './deliveries.ts'
import { type Stage } from './stage.ts'

/** What the senders were told. */
export interface Told {
  /** By event id: how often it was answered with 2xx. */
  readonly accepted: Map<string, number>
  /** How often each answer was given, by status and outcome or code; `no answer` when the container was gone. */
  readonly answers: Map<string, number>
  /** By event id: how often a handler that needs no database has logged it. */
  readonly alerts: Map<string, number>
}

/** A container that is replaced when it is gone. */
export interface Seat {
  /** The one that serves now. */
  current(): Container
  run(event: object): Promise<Awaited<ReturnType<Container['run']>>>
  close(): Promise<void>
}

const RETRY_MS = 150
// A sender that is sent away so often has found an outage that does not end.
const MOST_TRIES = 400

/** Takes a seat with a container of a function. */
export async function takeSeat(stage: Stage, name: Parameters<Stage['container']>[0]): Promise<Seat> {
  let container = await stage.container(name)
  return {
    current: () => container,
    async run(event) {
      const outcome = await container.run(event)
      if (outcome.exited) container = await stage.container(name)
      return outcome
    },
    close: () => container.kill(),
  }
}

/** Sends deliveries from a common list, each until it is accepted, or refused if it is forged. */
export async function sendAll(queue: Delivery[], seat: Seat, told: Told, paceMs: number): Promise<void> {
  for (let delivery = queue.shift(); delivery !== undefined; delivery = queue.shift()) {
    await sendUntilSettled(delivery, seat, told)
    await sleep(Math.random() * 2 * paceMs)
  }
}

async function sendUntilSettled(delivery: Delivery, seat: Seat, told: Told): Promise<void> {
  for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
    const { event, headers, body: sent } = tries === 1 ? delivery : deliveryOf(delivery.event)
    const outcome = await seat.run(webEvent({ method: 'POST', path: `/${event.source}`, headers: { ...headers }, body: sent }, 'raw'))
    for (const [, code = ''] of outcome.logs.stdout.matchAll(/"event":"alert\.raised".*?"code":"(\w+)"/g)) count(told.alerts, code)
    const { status, body } = outcome.exited ? { status: 0, body: '{}' } : webAnswer(outcome)
    const { outcome: result, code } = JSON.parse(body) as { outcome?: string; code?: string }
    count(told.answers, status === 0 ? 'no answer' : `${status} ${result ?? code}`)
    if (status >= 200 && status < 300) {
      count(told.accepted, event.id)
      return
    }
    if (event.kind === 'forged' && status === 401) return
    await sleep(RETRY_MS * (0.5 + Math.random()))
  }
  throw new Error(`${delivery.event.id} was never accepted`)
}

/** Runs maintenance again and again, as its schedule does, until it is told to stop. */
export async function maintainUntil(stopped: () => boolean, seat: Seat, everyMs: number): Promise<void> {
  while (!stopped()) {
    await seat.run(invokedEvent({ task: 'maintenance' }))
    await sleep(everyMs)
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
