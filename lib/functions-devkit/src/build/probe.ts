import { createHook } from 'node:async_hooks'
import { closeSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { type ProbeReport } from './probe-report.ts'

// The bare process that a bundle is loaded in. It tells what it saw through a file descriptor of its
// own: the bundle must print nothing, so nothing is printed here either.

/** What goes on in the background until it is closed. One that is unreferenced counts too, though the process could end. */
const LASTING =
  /^(Timeout|Immediate|TCPWRAP|TCPSERVERWRAP|TLSWRAP|PIPEWRAP|PIPESERVERWRAP|UDPWRAP|FSEVENTWRAP|STATWATCHER|SIGNALWRAP|PROCESSWRAP|MESSAGEPORT|WORKER)$/i
/** The end of a resource is told some turns after it; and some take a turn to begin. */
const TURNS = 3

/** The file descriptor that is read by whoever started us. */
const REPORT = 3

const [, , entry = ''] = process.argv
const left = new Map<number, string>()
// Node opens these when somebody looks at them first, and logging libraries do look.
void [process.stdout, process.stderr]
let recording = true
createHook({
  init: (id, type) => void (recording && LASTING.test(type) && left.set(id, type)),
  destroy: id => void left.delete(id),
}).enable()

tell(await load())

async function load(): Promise<ProbeReport> {
  const listenersBefore = countListeners()
  try {
    const startedAt = performance.now()
    // DigitalOcean's runtime loads with import(), which sees only the names that can be read off the text; Apache's with
    // require. In this order: import() of what is loaded already sees all names.
    const imported = (await import(pathToFileURL(entry).href)) as Record<string, unknown>
    const ms = performance.now() - startedAt
    const required: unknown = createRequire(entry)(entry)
    for (let turn = 0; turn < TURNS; turn += 1) await ourOwnTurn()
    const listeners = [...countListeners()].filter(([name, count]) => count > (listenersBefore.get(name) ?? 0))
    const behind = [...left.values(), ...listeners.map(([name]) => `process.on('${name}')`)]
    const contractMistake = await contractMistakeOf(required)
    return {
      outcome: 'loaded',
      ms,
      exported: typeof required === 'object' && required !== null ? Object.keys(required) : [],
      isFunction: typeof (required as { main?: unknown } | null | undefined)?.main === 'function',
      importable: typeof imported.main === 'function',
      variables: variablesOf(required),
      ...(contractMistake !== undefined && { contractMistake }),
      left: behind,
    }
  } catch (error) {
    return { outcome: 'failed', error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }
  }
}

function variablesOf(required: unknown): string[] {
  const { variables } = (required as { main?: { variables?: unknown } } | null | undefined)?.main ?? {}
  return Array.isArray(variables) ? variables.map(String) : []
}

/** Writes the contract of an API as its route does, with the parts that are deployed. */
async function contractMistakeOf(required: unknown): Promise<string | undefined> {
  const { operations, contract } = (required as { main?: { operations?: unknown; contract?: unknown } } | null | undefined)?.main ?? {}
  if (!Array.isArray(operations) || typeof contract !== 'function') return undefined
  try {
    await (contract as () => Promise<unknown>)()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

async function ourOwnTurn(): Promise<void> {
  recording = false
  const turn = nextTurn()
  recording = true
  return turn
}

function countListeners(): Map<string, number> {
  return new Map(process.eventNames().map(name => [String(name), process.listenerCount(name)]))
}

function tell(report: ProbeReport): void {
  writeSync(REPORT, JSON.stringify(report))
  // What it waits for next is the end of this process, and how that comes is part of what it looks at.
  closeSync(REPORT)
}
