import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
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
  /** For the copy of this function that is loaded. */
  readonly stageFolder: string
  /** The server's own address, for the context. */
  readonly apiHost: string
  readonly report: (message: string, error?: unknown) => void
  /** Given to the bundle before it is called; without it, it takes what the process has. */
  readonly hosting?: Hosting
}

/** One function, wherever it runs. */
export interface CallableFunction extends FunctionDescription {
  call(event: PlatformEvent): Activation & { readonly context: CallContext }
  /** What is wrong with the settings that it reads; nothing when it does not say. */
  settingIssues(): readonly SettingIssue[]
}

/** One function of this process, loaded once. */
export interface ServedFunction extends CallableFunction {
  /** Loads the bundle, once, and tells whether that went well; what is wrong with it is reported. */
  prepare(): boolean
  /** The pool that its calls have built, if there is one. */
  pool(): PoolStatus | undefined
  /** The most connections that the function needs, if its bundle is loaded and sets that. */
  fewConnections(): number | undefined
  /** Lets the calls under way end, unless the caller has waited for them, then closes what the bundle keeps open. */
  shutdown(options?: { readonly waitForCalls?: boolean }): Promise<void>
}

type BundleMain = Main & {
  readonly shutdown?: () => Promise<void>
  readonly settingIssues?: () => readonly SettingIssue[]
  readonly pool?: () => PoolStatus | undefined
  readonly hostedBy?: (hosting: Hosting) => void
  readonly fewConnections?: number | undefined
}

/** Makes a function that is loaded as it would be deployed. */
export function createServedFunction({ description, functionFolder, stageFolder, apiHost, report, hosting }: ServedFunctionOptions): ServedFunction {
  const { qualifiedName, timeoutMs } = description
  const requireBundle = createRequire(import.meta.url)
  const running = new Set<Promise<void>>()
  let main: BundleMain | undefined
  let tried = false

  function prepare(): boolean {
    if (!tried) load()
    return main !== undefined
  }

  function load(): void {
    tried = true
    try {
      const loaded = requireBundle(stageFunction({ functionFolder, stageFolder })) as { main?: BundleMain }
      if (typeof loaded.main !== 'function') throw new Error('it exports no function named main')
      if (hosting !== undefined) loaded.main.hostedBy?.(hosting)
      main = loaded.main
    } catch (error) {
      report(`${qualifiedName} cannot be loaded`, error)
      rmSync(stageFolder, { recursive: true, force: true })
    }
  }

  return {
    ...description,
    prepare,
    pool: () => main?.pool?.(),
    fewConnections: () => main?.fewConnections,
    settingIssues: () => main?.settingIssues?.() ?? [],
    call(event) {
      const context = createContext({ qualifiedName, timeoutMs, apiHost })
      if (!prepare() || main === undefined) {
        return { context, ended: Promise.resolve({ end: 'discarded', reason: 'could not be loaded' }), settled: Promise.resolve() }
      }
      const { ended, settled } = invoke({ main, event, context, timeoutMs })
      running.add(settled)
      void settled.then(() => running.delete(settled))
      return { context, ended, settled }
    },
    async shutdown({ waitForCalls = true } = {}) {
      if (waitForCalls) await Promise.all(running)
      try {
        await main?.shutdown?.()
      } catch (error) {
        report(`${qualifiedName} did not shut down cleanly`, error)
      }
      rmSync(stageFolder, { recursive: true, force: true })
    },
  }
}
