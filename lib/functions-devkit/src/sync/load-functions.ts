import { once } from 'node:events'
import { extname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Mistake } from '../cli/mistake.ts'
import type { Deployment } from '../../../functions-runtime/src/edge/deployment.ts'
import type { DocumentedSettings } from './documentation.ts'

export interface LoadRequest {
  readonly application: string
  /** `<package>/<function>`. */
  readonly name: string
}

/** What a function's source says of it, or the mistake for which it cannot be loaded. */
export type FunctionFacts =
  | { readonly name: string; readonly deployment: Deployment; readonly documentation: DocumentedSettings; readonly mistake?: never }
  | { readonly name: string; readonly deployment?: never; readonly mistake: Mistake }

// A source that waits for something at its top level would block every command.
const LONGEST_LOAD_MS = 20_000

/**
 * Loads the sources of functions and returns what each says. They run in a thread of their own: one that ends the process, prints or
 * keeps a timer spoils nothing here.
 */
export async function loadFunctions(application: string, names: readonly string[]): Promise<FunctionFacts[]> {
  const facts: FunctionFacts[] = []
  let worker: Worker | undefined
  try {
    for (const name of names) {
      worker ??= startWorker()
      const found = await askWorker(worker, { application, name })
      facts.push(found.facts)
      if (!found.isAlive) worker = void (await worker.terminate())
    }
  } finally {
    await worker?.terminate()
  }
  return facts
}

function startWorker(): Worker {
  // What a source prints while it is loaded is not the command's.
  const worker = new Worker(join(import.meta.dirname, `load-worker${extname(import.meta.filename)}`), { stdout: true, stderr: true })
  worker.on('error', () => undefined)
  return worker
}

async function askWorker(worker: Worker, request: LoadRequest): Promise<{ readonly facts: FunctionFacts; readonly isAlive: boolean }> {
  const { name } = request
  const mistake = (reason: string) => ({ facts: { name, mistake: { file: `packages/${name}/index.ts`, reason } }, isAlive: false })
  const waiting = new AbortController()
  const { signal } = waiting
  const timer = setTimeout(() => waiting.abort(), LONGEST_LOAD_MS)
  const answer = once(worker, 'message', { signal }).then(([facts]) => ({ facts: facts as FunctionFacts, isAlive: true }))
  const end = once(worker, 'exit', { signal }).then(([code]) => mistake(`ends the process while it is loaded (exit status ${code})`))
  worker.postMessage(request)
  try {
    return await Promise.race([answer, end])
  } catch (error) {
    if (!signal.aborted) return mistake((error as Error).message)
    return mistake(`is not loaded after ${LONGEST_LOAD_MS / 1000} s: it waits for something at its top level`)
  } finally {
    clearTimeout(timer)
    // The loser of the race must not wait on.
    waiting.abort()
    await Promise.allSettled([answer, end])
  }
}
