import { openDatabase } from '../../../../functions-runtime/src/database/connect.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import { databaseSettings } from '../../../../functions-runtime/src/database/settings.ts'
import { type Work } from '../../../../functions-runtime/src/database/service.ts'
import { defineFunction, type Main } from '../../../../functions-runtime/src/edge/define.ts'
import { perform } from '../workloads.ts'
import { type ContainerOrder, type Said, type Told } from './orders.ts'

// The process of one container: a function with a database of its own, which the parent stops and resumes.

const FOR_EVER_MS = 30_000

let main: Main | undefined
let aheadMs = 0

process.on('message', (told: Told) => {
  obey(told).catch((error: unknown) => say({ said: 'failed', why: String(error) }))
})
process.on('disconnect', () => process.exit())
say({ said: 'ready' })

async function obey(told: Told): Promise<void> {
  switch (told.tell) {
    case 'open':
      Object.assign(process.env, told.environment)
      aheadMs = 0
      main = functionCalled(told.name)
      return say({ said: 'done' })
    case 'advance':
      aheadMs += told.ms
      return say({ said: 'done' })
    case 'call':
      return call(told)
    case 'close':
      await main?.shutdown()
      return say({ said: 'done' })
    default:
      return told satisfies never
  }
}

async function call({ order, remainingMs, stopAfterwards }: Told & { tell: 'call' }): Promise<void> {
  const endsAt = Date.now() + remainingMs
  const http = { method: 'POST', path: '/', headers: { 'content-type': 'application/json' }, body: JSON.stringify(order), isBase64Encoded: false }
  const answer = await main?.({ http: { queryString: '', ...http } }, { getRemainingTimeInMillis: () => endsAt - Date.now() })
  say({ said: 'answer', answer: answer ?? {} })
  // As soon as the answer is given: nothing that was only begun gets any further.
  if (stopAfterwards) process.kill(process.pid, 'SIGSTOP')
}

function functionCalled(name: string): Main {
  return defineFunction({
    name: `matrix/${name}`,
    settings: { database: databaseSettings },
    setup({ database: settings }, { logger, timeLimitMs }) {
      return openDatabase({ settings, applicationName: name, timeLimitMs, logger, now: () => Date.now() + aheadMs })
    },
    shutdown: ({ manager }) => manager.gracefulShutdown(),
    routes: {
      async 'POST /'(request, { services }) {
        const { overrun, ...order } = JSON.parse(request.body.toString('utf8')) as ContainerOrder
        const result = await perform(
          services.service,
          order,
          overrun === undefined ? {} : { extra: work => overrunBy(overrun, { work, locks: order.kind !== 'read' }) },
        )
        return { statusCode: 200, headers: {}, body: { ...result } }
      },
    },
  })
}

// A handler that does not listen to its signal.
async function overrunBy({ how, lock }: NonNullable<ContainerOrder['overrun']>, { work, locks }: { work: Work; locks: boolean }): Promise<void> {
  if (locks) await work.query('SELECT touched FROM contended WHERE id = $lock FOR UPDATE', { lock })
  if (how === 'in a statement without a limit') await work.query('SET LOCAL statement_timeout = 0')
  if (how === 'idle in transaction') await sleep(FOR_EVER_MS)
  else await work.query('SELECT pg_sleep($seconds::float8)', { seconds: FOR_EVER_MS / 1_000 })
}

function say(said: Said): void {
  process.send?.(said)
}
