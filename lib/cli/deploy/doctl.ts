import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

/** What doctl left behind. Its status alone proves nothing: it has been 0 after failures. */
export interface DoctlResult {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs doctl with these words. */
export type Doctl = (...words: readonly string[]) => Promise<DoctlResult>

/** doctl is not there, or refuses to say what it was asked. */
export class DoctlError extends Error {
  override readonly name = 'DoctlError'
}

export interface DoctlOptions {
  /** How long a call with these words may take, in ms. */
  readonly longestMs?: (words: readonly string[]) => number
}

// A deployment builds and uploads all functions; a call of a function is answered after 30 s at the latest.
const LONGEST_DEPLOY_MS = 15 * 60_000
const LONGEST_MS = 2 * 60_000
const longest = (words: readonly string[]) => (words.includes('deploy') ? LONGEST_DEPLOY_MS : LONGEST_MS)

const WHERE = 'https://docs.digitalocean.com/reference/doctl/how-to/install/'

/**
 * The doctl of the machine, run in the checkout.
 * @throws DoctlError, when it is called, if there is none, or when it does not end
 */
export function findDoctl(checkout: string, { longestMs = longest }: DoctlOptions = {}): Doctl {
  return async (...words) => {
    const child = spawn('doctl', words, { cwd: checkout, stdio: ['ignore', 'pipe', 'pipe'] })
    const output = Promise.all([text(child.stdout), text(child.stderr)])
    output.catch(() => undefined)
    const ms = longestMs(words)
    const silence = AbortSignal.timeout(ms)
    try {
      const [status] = (await once(child, 'close', { signal: silence })) as [number | null]
      const [stdout, stderr] = await output
      return { status: status ?? 1, stdout, stderr }
    } catch (error) {
      if (silence.aborted) {
        child.kill()
        // What it has begun may have them still.
        child.stdout.destroy()
        child.stderr.destroy()
        throw new DoctlError(`doctl ${words.join(' ')} has not ended within ${ms / 60_000} minutes: look at the network, then do it again`)
      }
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      throw new DoctlError(
        `doctl is not on this machine, or not in PATH. ${WHERE} tells how to get it; then: doctl auth init, doctl serverless install, doctl serverless connect`,
      )
    }
  }
}

/**
 * What doctl answers as JSON.
 * @throws DoctlError when it fails or answers something else
 */
export async function askForJson(doctl: Doctl, ...words: readonly string[]): Promise<unknown> {
  const { status, stdout, stderr } = await doctl(...words)
  try {
    if (status === 0) return JSON.parse(stdout)
  } catch {
    // Told below.
  }
  throw new DoctlError(`doctl ${words.join(' ')} ended with ${status}: ${stderr.trim() || 'its answer is no JSON'}`)
}

/** @throws DoctlError unless doctl is there and connected to a namespace */
export async function requireConnection(doctl: Doctl): Promise<void> {
  const { status, stderr } = await doctl('serverless', 'status')
  if (status === 0) return
  throw new DoctlError(
    `doctl is not connected to a namespace (${lastLine(stderr)}): doctl auth init, doctl serverless install, doctl serverless connect`,
  )
}

/** The last thing that a program said. */
export function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}
