import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { CONNECT, INSTALL } from './cures.ts'
import { reasonOf } from './reason.ts'

/** What a call of doctl left. The status alone proves nothing: it is 0 after some failures. */
export interface DoctlResult {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs doctl with these words. */
export type Doctl = (...words: readonly string[]) => Promise<DoctlResult>

/** doctl is missing, is not connected, or refuses to answer. */
export class DoctlError extends Error {
  override readonly name = 'DoctlError'
}

export interface DoctlOptions {
  /** The time limit of a call with these words, in ms. */
  readonly longestMs?: (words: readonly string[]) => number
}

// A deployment builds and uploads all functions. Every other call is one request, which doctl repeats up to five times.
const LONGEST_DEPLOY_MS = 15 * 60_000
const LONGEST_MS = 2 * 60_000
const longest = (words: readonly string[]) => (words.includes('deploy') ? LONGEST_DEPLOY_MS : LONGEST_MS)

/**
 * Returns the doctl of this machine, run in the checkout.
 * @throws DoctlError, when it is called, if doctl is missing or exceeds its time limit
 */
export function findDoctl(checkout: string, { longestMs = longest }: DoctlOptions = {}): Doctl {
  return async (...words) => {
    const child = spawn('doctl', words, { cwd: checkout, stdio: ['ignore', 'pipe', 'pipe'] })
    const output = Promise.all([text(child.stdout), text(child.stderr)])
    output.catch(() => undefined)
    const ms = longestMs(words)
    const limit = AbortSignal.timeout(ms)
    try {
      const [status] = (await once(child, 'close', { signal: limit })) as [number | null]
      const [stdout, stderr] = await output
      return { status: status ?? 1, stdout, stderr }
    } catch (error) {
      if (limit.aborted) {
        child.kill()
        // A process that doctl started may hold them open.
        child.stdout.destroy()
        child.stderr.destroy()
        throw new DoctlError(`doctl ${words.join(' ')} has not ended within ${ms / 60_000} minutes: check the network, then try again`)
      }
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') throw new DoctlError(`doctl is not installed, or not in PATH. ${INSTALL}; then ${CONNECT}`)
      if (code === undefined) throw error
      throw new DoctlError(`doctl cannot be started (${code}). ${INSTALL}`)
    }
  }
}

/**
 * Returns the JSON that doctl prints.
 * @throws DoctlError when the call fails or prints something else
 */
export async function askForJson(doctl: Doctl, ...words: readonly string[]): Promise<unknown> {
  const result = await doctl(...words)
  try {
    if (result.status === 0) return JSON.parse(result.stdout)
  } catch {
    // Reported below.
  }
  throw new DoctlError(`doctl ${words.join(' ')} ended with ${result.status}: ${result.status === 0 ? 'its answer is not JSON' : reasonOf(result)}`)
}

/** @throws DoctlError unless doctl is installed and connected to a namespace */
export async function requireConnection(doctl: Doctl): Promise<void> {
  const result = await doctl('serverless', 'status')
  if (result.status !== 0) throw new DoctlError(`doctl is not connected to a namespace (${reasonOf(result)}): ${CONNECT}`)
}
