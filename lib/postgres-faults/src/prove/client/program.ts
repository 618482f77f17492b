import { createRequire } from 'node:module'
import { callContext } from '../../../../functions-devkit/src/server/containers/call-context.ts'
import { type CallEnd } from '../../../../functions-devkit/src/server/platform/response.ts'
import { asPlain } from '../../../../functions-devkit/src/server/platform/result.ts'
import { shiftClock } from './shift-clock.ts'
import { type Order, type Report, type Variables } from './orders.ts'

// The process of a client: it has one function, as it is deployed. The parent kills it in the middle of its calls.

interface Main {
  (event: unknown, context: object): unknown
  shutdown?(): Promise<void>
}

let main: Main | undefined

process.on('message', (order: Order) => {
  obey(order).then(
    end => report({ order: order.order, ...(end === undefined ? {} : { end }) }),
    (error: unknown) => report({ order: order.order, failed: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  )
})
process.on('disconnect', () => process.exit())

async function obey(order: Order): Promise<CallEnd | undefined> {
  switch (order.tell) {
    case 'load': {
      const loaded = createRequire(order.entry)(order.entry) as { main?: Main }
      if (typeof loaded.main !== 'function') throw new Error(`${order.entry} exports no function main`)
      main = loaded.main
      return undefined
    }
    case 'begin':
      await main?.shutdown?.()
      shiftClock(order.clockMs)
      set(order.variables)
      return undefined
    case 'call':
      set(order.variables)
      return call(order.event)
  }
}

async function call(event: Readonly<Record<string, unknown>>): Promise<CallEnd> {
  try {
    return { end: 'result', result: await main?.(event, callContext(process.env)) }
  } catch (error) {
    return { end: 'thrown', error: asPlain(error) }
  }
}

function set(variables: Variables): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === null) delete process.env[name]
    else process.env[name] = value
  }
}

function report(report: Report): void {
  if (process.connected) process.send?.(report)
}
