import { setTimeout as sleep } from 'node:timers/promises'
import { startContainer, type Container } from '../../../lib/functions-devkit/test/support/platform/container.ts'
import { webEvent, type WebRequest } from '../../../lib/functions-devkit/test/support/platform/events.ts'
import { webAnswer } from '../../../lib/functions-devkit/test/support/platform/web-answer.ts'
import { type Route } from './stage.ts'
import { type Way } from './ways.ts'

// More at once only wait for each other.
const STARTED_AT_ONCE = 3
// After so many warm-up calls the connections that they left are ended: fewer than the server takes.
const WARMED_BETWEEN = 10
const NOTICE_MS = 500

/** How one call ended. `hung`: no answer by the time limit, the platform has given the container up. */
export type Ending = 'served' | 'refused' | 'late' | 'hung' | 'crashed'

export interface CallResult {
  ending: Ending
  status: number
  /** The code of an error. */
  code: string | undefined
  /** Whether it was a 503 that says when to come back. */
  comeBack: boolean
  ms: number
}

export interface Wave {
  results: CallResult[]
  wallMs: number
}

/** Containers of one function, all on one route. */
export interface Fleet extends AsyncDisposable {
  /** Sends every container one request at the same moment, paused ones included; each is paused as soon as it has answered. */
  wave(requestFor: (container: number) => WebRequest): Promise<Wave>
  /** One request to one container, which is paused afterwards. */
  call(container: number, request: WebRequest): Promise<CallResult>
}

export interface FleetOptions {
  way: Way
  route: Route
  size: number
  /** The platform's time limit of a call. */
  deadlineMs: number
  warmUp: WebRequest
}

/** Starts containers that have loaded all their code, have answered once and are not connected. */
export async function startFleet({ way, route, size, deadlineMs, warmUp }: FleetOptions): Promise<Fleet> {
  await using undo = new AsyncDisposableStack()
  const containers: Container[] = []
  undo.defer(async () => void (await Promise.all(containers.map(container => container.kill()))))
  const start = () =>
    startContainer({
      zip: way.zip,
      runtime: 'digitalocean',
      environment: way.environment(route),
      limits: { timeout: deadlineMs },
      name: `bench/${way.name}`,
    })
  let toStart = size
  await Promise.all(
    Array.from({ length: STARTED_AT_ONCE }, async () => {
      while (toStart-- > 0) containers.push(await start())
    }),
  )
  for (const [number, container] of containers.entries()) {
    const { ending, status, code } = await callOf(container, warmUp, deadlineMs)
    if (ending !== 'served') throw new Error(`${way.name}, ${route.name}: warming up ended in ${ending} ${status} ${code}`)
    if ((number + 1) % WARMED_BETWEEN === 0) await route.disconnectAll()
  }
  await route.disconnectAll()
  // Each gets to see that its connection has ended: what is measured begins without one.
  for (const container of containers) container.resume()
  await sleep(NOTICE_MS)
  for (const container of containers) container.pause()

  async function call(number: number, request: WebRequest): Promise<CallResult> {
    const container = containers[number]
    if (!container) throw new Error(`there is no container ${number}`)
    const result = await callOf(container, request, deadlineMs)
    if (result.ending === 'hung' || result.ending === 'crashed') containers[number] = await start()
    return result
  }

  const owned = undo.move()
  return {
    call,
    async wave(requestFor) {
      const startedAt = performance.now()
      let endedAt = startedAt
      const results = await Promise.all(
        containers.map(async (container, number) => {
          const result = await callOf(container, requestFor(number), deadlineMs)
          endedAt = performance.now()
          return result
        }),
      )
      // The platform starts another container in the place of one that it gave up.
      for (const [number, { ending }] of results.entries()) if (ending === 'hung' || ending === 'crashed') containers[number] = await start()
      return { results, wallMs: endedAt - startedAt }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function callOf(container: Container, request: WebRequest, deadlineMs: number): Promise<CallResult> {
  const event = webEvent(request, 'raw')
  const startedAt = performance.now()
  const outcome = await container.run(event)
  const ms = performance.now() - startedAt
  if (outcome.exited) {
    return { ending: outcome.exited.reason === 'time limit' ? 'hung' : 'crashed', status: 0, code: outcome.exited.reason, comeBack: false, ms }
  }
  container.pause()
  const { status, headers, body } = webAnswer(outcome)
  const served = status >= 200 && status < 300
  return {
    ending: ms > deadlineMs ? 'late' : served ? 'served' : 'refused',
    status,
    code: served ? undefined : codeOf(body),
    comeBack: status === 503 && headers.has('retry-after'),
    ms,
  }
}

function codeOf(body: string): string | undefined {
  try {
    return (JSON.parse(body) as { code?: string }).code
  } catch {
    return undefined
  }
}
