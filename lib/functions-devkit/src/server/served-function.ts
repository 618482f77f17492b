import { createHash } from 'node:crypto'
import { readFileSync, realpathSync, rmSync, statSync } from 'node:fs'
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
}

export interface ServedFunctionOptions {
  readonly description: FunctionDescription
  /** `packages/<package>/<function>`, or a link to the version of it that is to be served. */
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

/** One function: always its newest bundle that can be loaded. */
export interface ServedFunction extends FunctionDescription {
  /** Loads the bundle unless it is loaded and tells whether there is one; what is wrong with a version is reported once. */
  prepare(): boolean
  call(event: PlatformEvent): Activation & { readonly context: CallContext }
  /** The pool that its calls have built, if there is one. */
  pool(): PoolStatus | undefined
  /** The most connections that the function needs, if its bundle is loaded and sets that. */
  fewConnections(): number | undefined
  /** What is wrong with the settings that it reads; nothing when it does not say. */
  settingIssues(): readonly SettingIssue[]
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
  const retiring = new Set<Promise<void>>()
  let bundle: Bundle | undefined
  let seen = ''
  let builds = 0

  // Synchronous from the look at the file to the exchange of the bundle: overlapping calls cannot load it twice.
  function newest(): Bundle | undefined {
    if (once && bundle !== undefined) return bundle
    let mark = 'missing'
    try {
      // The link may lead elsewhere at any moment: all files are taken from where it leads now.
      const version = realpathSync(functionFolder)
      const product = join(version, 'dist', 'index.js')
      const { mtimeNs, size, ino } = statSync(product, { bigint: true })
      mark = [version, mtimeNs, size, ino].join(':')
      if (bundle !== undefined && mark === seen) return bundle
      const digest = createHash('sha256').update(version).update(readFileSync(product)).digest('hex')
      // A rebuild of the same content must not cost the pool its connections.
      if (digest !== bundle?.digest) replace(loadBundle(version, digest))
    } catch (error) {
      if (mark !== seen) {
        const what = bundle === undefined ? 'cannot be loaded' : 'has changed and cannot be loaded: serving the version before'
        report(`${qualifiedName} ${what}`, error)
      }
    }
    seen = mark
    return bundle
  }

  function loadBundle(version: string, digest: string): Bundle {
    builds += 1
    const folder = join(stageFolder, String(builds))
    try {
      const { main } = load(stageFunction({ functionFolder: version, stageFolder: folder })) as { main?: Bundle['main'] }
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
