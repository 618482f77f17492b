import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { indexFunctions, type Functions } from '../functions.ts'
import { INSPECTOR_PORT } from '../inspector.ts'
import { type FunctionDescription } from '../served-function.ts'
import { type PoolOptions } from './pool.ts'
import { writeRuntime } from './program.ts'
import { type SelfDescription } from './protocol.ts'
import { endLeftovers, openRecords } from './records.ts'
import { createContainerFunction, type ContainerFunction, type ContainerFunctionOptions, type FunctionLine } from './served-container-function.ts'

export interface ContainerFunctionsOptions {
  readonly descriptions: readonly FunctionDescription[]
  /** Where the sources lie. */
  readonly checkout: string
  /** Where the functions lie that are to be served: `packages/<package>/<function>` leads to the newest version of each. */
  readonly built: string
  readonly ground: ContainerGround
  readonly apiHost: string
  readonly pool: PoolOptions
  /** The function to which a debugger may attach, as `package/function`. */
  readonly inspected?: string
  /** The variables of a function as they are now. */
  readonly environmentOf: (qualifiedName: string) => Readonly<Record<string, string>>
  readonly onLine: (line: FunctionLine) => void
  readonly report: (message: string, error?: unknown) => void
  /** Gets what each version says of itself, before it is called. */
  readonly loaded?: (self: SelfDescription) => void
}

/** What all containers have in common. */
export interface ContainerGround extends Pick<ContainerFunctionOptions, 'program' | 'home' | 'records'> {
  /** For the copies of functions that are loaded. */
  readonly staged: string
}

/** Makes a folder ready for containers. What an earlier run left there is ended and removed. */
export async function prepareContainers(folder: string, report: (message: string) => void): Promise<ContainerGround> {
  const recordsFolder = join(folder, 'running')
  const [staged, home] = [join(folder, 'staged'), join(folder, 'home')]
  const ended = await endLeftovers(recordsFolder)
  if (ended > 0) report(`${ended} ${ended === 1 ? 'container' : 'containers'} of an earlier npm start ended`)
  for (const emptied of [staged, home]) rmSync(emptied, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  return { program: writeRuntime(join(folder, 'runtime.cjs')), home, records: openRecords(recordsFolder), staged }
}

/** All functions of the project, each in containers of its own. */
export interface ContainerFunctions extends Functions<ContainerFunction> {
  /** Ends all containers without waiting. */
  kill(): void
}

/**
 * Makes the project's functions callable, each in processes of its own.
 * @throws Error when two of them have one name: the local URL holds no package.
 */
export function createContainerFunctions(options: ContainerFunctionsOptions): ContainerFunctions {
  const { descriptions, built, ground, environmentOf, inspected } = options

  const functions = indexFunctions(
    descriptions.map(description =>
      createContainerFunction({
        ...options,
        description,
        functionFolder: join(built, 'packages', description.qualifiedName),
        ...ground,
        stageFolder: join(ground.staged, description.qualifiedName),
        environment: () => environmentOf(description.qualifiedName),
        ...(description.qualifiedName === inspected && { inspectorPort: INSPECTOR_PORT }),
      }),
    ),
  )
  return { ...functions, kill: () => ground.records.killAll() }
}
