import { createHash } from 'node:crypto'
import { readFileSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createContext, type CallContext } from './platform/context.ts'
import { type PlatformEvent } from './platform/event.ts'
import { invoke, type Activation, type Main } from './platform/invoke.ts'
import { type SettingIssue } from '../../../functions-runtime/src/settings/settings.ts'
import { type Hosting, type PoolStatus } from '../../../functions-runtime/src/edge/define.ts'
import { stageFunction } from './stage.ts'

/** What project.yml says of a function, as far as serving it goes. */
export interface FunctionDescription {
  readonly name: string
  /** `package/function`. */
  readonly qualifiedName: string
  readonly web: boolean | 'raw'
  readonly timeoutMs: number
  readonly memoryMb: number
}

export interface ServedFunctionOptions {
  readonly description: FunctionDescription
  /** `packages/<package>/<function>`. */
  readonly functionFolder: string
  /** For the copies of this function that are loaded, one folder each. */
  readonly stageFolder: string
  /** The server's own address, for the context. */
  readonly apiHost: string
  readonly report: (message: string, error?: unknown) => void
  readonly load?: (file: string) => unknown
  /** Given to a bundle before it is called; without it, it takes what the process has. */
  readonly hosting?: Hosting
  /** Gets each bundle's `main` before it is called. */
  readonly loaded?: (main: { readonly scopes?: readonly string[] }) => void
  /** Whether the bundle that is loaded first is served until the end. */
  readonly once?: boolean
}

/** One function, wherever it runs. */
export interface CallableFunction extends FunctionDescription {
  call(event: PlatformEvent): Activation & { readonly context: CallContext }
  /** What is wrong with the settings that it reads; nothing when it does not say. */
  settingIssues(): readonly SettingIssue[]
}

/** One function of this process: always its newest bundle that can be loaded. */
export interface ServedFunction extends CallableFunction {
  /** Loads the bundle unless it is loaded and tells whether there is one; what is wrong with it is reported, and tried again at the next call. */
  prepare(): boolean
  /** The pool that its calls have built, if there is one. */
  pool(): PoolStatus | undefined
  /** The most connections that the function needs, if its bundle is loaded and sets that. */
  fewConnections(): number | undefined
  /** Lets the calls under way end, unless somebody else has waited for them, then closes what the bundle keeps open. */
  shutdown(options?: { readonly waitForCalls?: boolean }): Promise<void>
}

interface Bundle {
  readonly main: Main & {
    readonly shutdown?: () => Promise<void>
    readonly settingIssues?: () => readonly SettingIssue[]
    readonly pool?: () => PoolStatus | undefined
    readonly hostedBy?: (hosting: Hosting) => void
    readonly fewConnections?: number | undefined
    readonly scopes?: readonly string[]
  }
  readonly folder: string
  readonly digest: string
  readonly running: Set<Promise<void>>
}

/** Makes a function that is loaded as it would be deployed, and again when its bundle has changed. */
export function createServedFunction(options: ServedFunctionOptions): ServedFunction {
  const { description, functionFolder, stageFolder, apiHost, report, load = createRequire(import.meta.url), hosting, loaded, once = false } = options
  const { qualifiedName, timeoutMs } = description
  const product = join(functionFolder, 'dist', 'index.js')
  const retiring = new Set<Promise<void>>()
  let bundle: Bundle | undefined
  let seen = ''
  let builds = 0

  // Synchronous from the look at the file to the exchange of the bundle: overlapping calls cannot load it twice.
  function newest(): Bundle | undefined {
    if (once && bundle !== undefined) return bundle
    try {
      const { mtimeNs, size, ino } = statSync(product, { bigint: true })
      const mark = [mtimeNs, size, ino].join(':')
      if (bundle !== undefined && mark === seen) return bundle
      const digest = createHash('sha256').update(readFileSync(product)).digest('hex')
      // A rebuild of the same content must not cost the pool its connections.
      if (digest !== bundle?.digest) replace(loadBundle(digest))
      seen = mark
    } catch (error) {
      report(
        bundle === undefined ? `${qualifiedName} cannot be loaded` : `${qualifiedName} has changed and cannot be loaded; the version before goes on`,
        error,
      )
    }
    return bundle
  }

  function loadBundle(digest: string): Bundle {
    builds += 1
    const folder = join(stageFolder, String(builds))
    try {
      const { main } = load(stageFunction({ functionFolder, stageFolder: folder })) as { main?: Bundle['main'] }
      if (typeof main !== 'function') throw new Error('it exports no function named main')
      if (hosting !== undefined) main.hostedBy?.(hosting)
      loaded?.(main)
      return { main, folder, digest, running: new Set() }
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  function replace(next: Bundle): void {
    const before = bundle
    bundle = next
    if (before === undefined) return
    report(`${qualifiedName} has changed: the new version is served`)
    const retired = retire(before).finally(() => retiring.delete(retired))
    retiring.add(retired)
  }

  async function retire({ main, folder, running }: Bundle, waitForCalls = true): Promise<void> {
    if (waitForCalls) await Promise.all(running)
    try {
      await main.shutdown?.()
    } catch (error) {
      report(`${qualifiedName} did not shut down cleanly`, error)
    }
    rmSync(folder, { recursive: true, force: true })
  }

  return {
    ...description,
    pool: () => bundle?.main.pool?.(),
    fewConnections: () => bundle?.main.fewConnections,
    prepare: () => newest() !== undefined,
    settingIssues: () => newest()?.main.settingIssues?.() ?? [],
    call(event) {
      const context = createContext({ qualifiedName, timeoutMs, apiHost })
      const used = newest()
      if (used === undefined) {
        return { context, ended: Promise.resolve({ end: 'discarded', reason: 'could not be loaded' }), settled: Promise.resolve() }
      }
      const { ended, settled } = invoke({ main: used.main, event, context, timeoutMs })
      used.running.add(settled)
      void settled.then(() => used.running.delete(settled))
      return { context, ended, settled }
    },
    async shutdown({ waitForCalls = true } = {}) {
      const last = bundle
      bundle = undefined
      await Promise.all([...retiring, ...(last === undefined ? [] : [retire(last, waitForCalls)])])
    },
  }
}
