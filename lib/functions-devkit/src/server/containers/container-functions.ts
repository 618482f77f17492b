import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { indexFunctions, type Functions } from '../functions.ts'
import { INSPECTOR_PORT } from '../inspector.ts'
import { type FunctionDescription } from '../served-function.ts'
import { type PoolOptions } from './pool.ts'
import { writeRuntime } from './program.ts'
import { type SelfDescription } from './protocol.ts'
import { endLeftovers, openRecords } from './records.ts'
import { createContainerFunction, type ContainerFunction, type FunctionLine } from './served-container-function.ts'

export interface ContainerFunctionsOptions {
  readonly descriptions: readonly FunctionDescription[]
  /** Where the sources lie. */
  readonly checkout: string
  /** Where the functions lie that are to be served: `packages/<package>/<function>` leads to the newest version of each. */
  readonly built: string
  /** For what containers are made of. What an earlier run left there is ended and removed. */
  readonly folder: string
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

/** All functions of the project, each in containers of its own. */
export interface ContainerFunctions extends Functions<ContainerFunction> {
  /** Ends all containers without waiting. */
  kill(): void
}

/**
 * Makes the project's functions callable, each in processes of its own.
 * @throws Error when two of them have one name: the local URL holds no package.
 */
export async function createContainerFunctions(options: ContainerFunctionsOptions): Promise<ContainerFunctions> {
  const { descriptions, built, folder, environmentOf, report, inspected } = options
  const recordsFolder = join(folder, 'running')
  const staged = join(folder, 'staged')
  const home = join(folder, 'home')
  const ended = await endLeftovers(recordsFolder)
  if (ended > 0) report(`${ended} ${ended === 1 ? 'container' : 'containers'} of an earlier npm start ended`)
  for (const emptied of [staged, home]) rmSync(emptied, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })

  const records = openRecords(recordsFolder)
  const program = writeRuntime(join(folder, 'runtime.cjs'))
  const functions = indexFunctions(
    descriptions.map(description =>
      createContainerFunction({
        ...options,
        description,
        functionFolder: join(built, 'packages', description.qualifiedName),
        stageFolder: join(staged, description.qualifiedName),
        home,
        program,
        records,
        environment: () => environmentOf(description.qualifiedName),
        ...(description.qualifiedName === inspected && { inspectorPort: INSPECTOR_PORT }),
      }),
    ),
  )
  return { ...functions, kill: () => records.killAll() }
}
