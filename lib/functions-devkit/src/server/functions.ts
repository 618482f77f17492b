import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Hosting } from '../../../functions-runtime/src/edge/define.ts'
import { createServedFunction, type CallableFunction, type FunctionDescription, type ServedFunction } from './served-function.ts'

export interface FunctionsOptions {
  readonly descriptions: readonly FunctionDescription[]
  readonly checkout: string
  /** For the copies that are loaded; what an earlier run left there is removed. */
  readonly stageRoot: string
  readonly apiHost: string
  readonly report: (message: string, error?: unknown) => void
  /** What each is given in place of what the process has. */
  readonly hosting?: (qualifiedName: string) => Hosting
}

/** All functions of the project. */
export interface Functions<One extends CallableFunction = ServedFunction> {
  readonly all: readonly One[]
  /** By the first segment of a local URL. */
  byName(name: string): One | undefined
  byQualifiedName(qualifiedName: string): One | undefined
  shutdown: ServedFunction['shutdown']
}

/**
 * Makes the project's functions callable.
 * @throws Error when two of them have one name: the local URL holds no package.
 */
export function createFunctions({ descriptions, checkout, stageRoot, apiHost, report, hosting }: FunctionsOptions): Functions {
  rmSync(stageRoot, { recursive: true, force: true })
  return indexFunctions(
    descriptions.map(description => {
      const { qualifiedName } = description
      return createServedFunction({
        description,
        functionFolder: join(checkout, 'packages', qualifiedName),
        stageFolder: join(stageRoot, qualifiedName),
        apiHost,
        report,
        ...(hosting === undefined ? {} : { hosting: hosting(qualifiedName) }),
      })
    }),
  )
}

/**
 * Makes functions found by their names.
 * @throws Error when two of them have one name: the local URL holds no package.
 */
export function indexFunctions<One extends CallableFunction & Pick<ServedFunction, 'shutdown'>>(all: readonly One[]): Functions<One> {
  const byName = new Map<string, One>()
  for (const one of all) {
    const { name, qualifiedName } = one
    const namesake = byName.get(name)
    if (namesake !== undefined)
      throw new Error(`${namesake.qualifiedName} and ${qualifiedName} would share the local URL /${name}: rename one of them`)
    byName.set(name, one)
  }
  return {
    all,
    byName: name => byName.get(name),
    byQualifiedName: qualifiedName => all.find(one => one.qualifiedName === qualifiedName),
    async shutdown(options) {
      await Promise.all(all.map(one => one.shutdown(options)))
    },
  }
}
