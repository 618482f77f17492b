import { rmSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { createContext } from '../platform/context.ts'
import { type CallEnd } from '../platform/response.ts'
import { type CallableFunction, type FunctionDescription } from '../served-function.ts'
import { startContainer, type ContainerCall, type ContainerOptions } from './container.ts'
import { type OutputLine } from './output.ts'
import { createContainerPool, type PoolOptions, type Version } from './pool.ts'
import { type SelfDescription } from './protocol.ts'
import { createVersions, type StagedVersion } from './versions.ts'

/** A line that a function printed, and which function. */
export interface FunctionLine extends OutputLine {
  /** `package/function`. */
  readonly function: string
}

export interface ContainerFunctionOptions extends Pick<ContainerOptions, 'program' | 'home' | 'apiHost' | 'records' | 'checkout'> {
  readonly description: FunctionDescription
  /** `packages/<package>/<function>`, or a link to the version of it that is to be served. */
  readonly functionFolder: string
  /** For the copies of this function that are loaded, one folder each. */
  readonly stageFolder: string
  readonly pool: PoolOptions
  /** For a debugger, on loopback: there is one container at a time then, which is not paused and has no time limit. */
  readonly inspectorPort?: number
  /** The function's variables as they are now; containers with others are replaced. */
  readonly environment: () => Readonly<Record<string, string>>
  readonly onLine: (line: FunctionLine) => void
  readonly report: (message: string, error?: unknown) => void
  /** Gets what each version says of itself, before it is called. */
  readonly loaded?: (self: SelfDescription) => void
}

/** A function that runs in containers: always its newest version that can be loaded. */
export interface ContainerFunction extends CallableFunction {
  /** Loads the newest version, ahead of its first call, and tells whether there is one. What is wrong with it is reported. Never rejects. */
  prepare(): Promise<boolean>
  shutdown(options?: { readonly waitForCalls?: boolean }): Promise<void>
}

/** What containers of one kind are started with. */
interface Wanted {
  readonly staged: StagedVersion
  readonly environment: Readonly<Record<string, string>>
}

/** Makes a function that runs as it would be deployed, and is loaded again when it or its variables change. */
export function createContainerFunction(options: ContainerFunctionOptions): ContainerFunction {
  const { description, environment, report, loaded, inspectorPort } = options
  const { qualifiedName, memoryMb } = description
  const timeoutMs = inspectorPort === undefined ? description.timeoutMs : Number.POSITIVE_INFINITY
  const versions = createVersions(options)
  const pool = createContainerPool(inspectorPort === undefined ? options.pool : { ...options.pool, max: 1, pauseAfterMs: Number.POSITIVE_INFINITY })
  const retiring = new Set<Promise<void>>()
  let current: (Wanted & { readonly self: SelfDescription }) | undefined
  let refused: Wanted | undefined
  let loading: Promise<void> | undefined
  let ended = false

  /** Waits for what has changed, so that no call is answered by code or variables that are out of date. */
  async function ready(): Promise<boolean> {
    for (let wanted = look(); wanted !== undefined; wanted = look()) await (loading ??= load(wanted).finally(() => (loading = undefined)))
    return current !== undefined
  }

  /** Returns what is to be loaded; undefined when that is what runs, or has been refused while another version runs. */
  function look(): Wanted | undefined {
    if (ended) return undefined
    try {
      const wanted = { staged: versions.newest(), environment: environment() }
      return isSame(wanted, current) || isSame(wanted, refused) ? undefined : wanted
    } catch (error) {
      // Between two builds the files are missing for a moment.
      if (current === undefined) report(`${qualifiedName} cannot be loaded`, error)
      return undefined
    }
  }

  async function load(wanted: Wanted): Promise<void> {
    const before = current
    const version: Version = { start: () => start(wanted) }
    // Two containers cannot have the debugger's port.
    if (inspectorPort !== undefined) await pool.hold()
    try {
      const first = await start(wanted)
      loaded?.(first.self)
      current = { ...wanted, self: first.self }
      const retired = pool.use(version, first).then(() => remove(before?.staged))
      retiring.add(retired)
      void retired.finally(() => retiring.delete(retired))
    } catch (error) {
      report(
        before === undefined ? `${qualifiedName} cannot be loaded` : `${qualifiedName} has changed and cannot be loaded; the version before goes on`,
        error,
      )
      remove(refused?.staged)
      refused = wanted
      pool.resume()
    }
  }

  function start({ staged, environment: variables }: Wanted) {
    return startContainer({
      ...options,
      ...staged,
      environment: variables,
      timeoutMs,
      memoryMb,
      ...(inspectorPort === undefined ? {} : { execArgv: [`--inspect=127.0.0.1:${inspectorPort}`, '--inspect-publish-uid=http'] }),
      onLine: line => options.onLine({ ...line, function: qualifiedName }),
    })
  }

  function remove(staged: StagedVersion | undefined): void {
    if (staged !== undefined && staged !== current?.staged && staged !== refused?.staged) versions.remove(staged)
  }

  async function end(call: ContainerCall): Promise<CallEnd> {
    // Without any version each call is a new attempt, as on the platform.
    if (current === undefined) refused = undefined
    return (await ready()) ? pool.call(call) : { end: 'discarded', reason: 'could not be loaded' }
  }

  return {
    ...description,
    prepare: ready,
    settingIssues: () => current?.self.settingIssues ?? [],
    call(event) {
      const context = createContext({ qualifiedName, timeoutMs: description.timeoutMs, apiHost: options.apiHost })
      const answered = end({ event, context })
      return { context, ended: answered, settled: answered.then(() => undefined) }
    },
    async shutdown({ waitForCalls = true } = {}) {
      ended = true
      await loading
      await pool.shutdown({ waitForCalls })
      await Promise.all(retiring)
      rmSync(options.stageFolder, { recursive: true, force: true })
    },
  }
}

function isSame(one: Wanted, other: Wanted | undefined): boolean {
  return one.staged.digest === other?.staged.digest && isDeepStrictEqual(one.environment, other.environment)
}
