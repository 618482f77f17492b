import type { Database } from '../database/connect.ts'
import type { DatabaseService } from '../database/service.ts'
import { databaseSettings, type DatabaseSettings } from '../database/settings.ts'
import { defineFunction, type FunctionDefinition, type Main, type NamedPool } from '../edge/define.ts'
import { json } from '../edge/reply.ts'
import { apiKeySettings, type ApiSettings } from '../settings/api-keys.ts'
import type { Groups, SettingsOf } from '../settings/settings.ts'
import type { DestinationStream, Logger } from '../telemetry/logger.ts'
import { CONTRACT_ROUTE, findListMistake, findMistake } from './check-operations.ts'
import type { ContractDefinition, ContractDefaults, Json } from './contract.ts'
import type { RoutedOperation } from './operation.ts'
import { operation, type DefinedOperation, type DefineOperation } from './request.ts'
import { serveOperation, type ApiServices, type RequestFacts, type RequestTools } from './serve.ts'

/** What `setup` gets beside the settings. */
export interface SetupTools {
  readonly database: DatabaseService
  readonly logger: Logger
  /** As `setup` of `defineFunction` gets it. */
  readonly timeLimitMs: number
  readonly pools: () => readonly NamedPool[]
}

type None = Record<never, never>
type Services<G extends Groups, Shared extends object> = ApiServices<SettingsOf<G>, Shared>
type Replaced = 'settings' | 'setup' | 'pool' | 'shutdown'

/**
 * A function that is an API. TypeScript reads it from top to bottom: `settings`, `setup` and `forRequest` stand before
 * `operations`, whose handlers get what those return. Every other field is that of `defineFunction`; `routes` are further ones,
 * which the contract leaves out.
 */
export interface ApiDefinition<G extends Groups, Shared extends object, Tools extends object>
  extends Omit<FunctionDefinition<G, Services<G, Shared>>, Replaced>, ContractDefinition {
  /** Groups beside those of the database and the API keys, which every API has. */
  settings?: G
  /** Builds what all requests share, once per container. It must not connect to anything. */
  setup?: (settings: SettingsOf<G>, tools: SetupTools) => Shared
  /** Opens what one request has of its own, with an `end` that is waited for before the answer is given. */
  forRequest?: (shared: Shared, facts: RequestFacts) => RequestTools<Tools>
  /** Ends what `setup` built, before the database is shut down. */
  shutdown?: (shared: Shared) => Promise<void>
  operations: (
    operation: DefineOperation<Shared & Tools & { readonly settings: SettingsOf<G> }>,
  ) => readonly (DefinedOperation | readonly DefinedOperation[])[]
}

/** The `main` of an API, which the tools can ask. */
export interface ApiMain extends Main {
  readonly operations: readonly RoutedOperation[]
  /** What a key may be for here, sorted. */
  readonly scopes: readonly string[]
  /** Resolves to the contract, an OpenAPI 3.1 document. */
  contract(): Promise<Json>
}

/** What all APIs of an application have in common. */
export interface ApiDefaults extends ContractDefaults {
  readonly prepareDatabase: (
    settings: DatabaseSettings,
    options: { readonly name: string; readonly logger: Logger; readonly timeLimitMs: number },
  ) => Database
}

/**
 * Returns `defineApi`, which makes the `main` of a function out of its operations and serves their contract.
 * `defineApi` throws an Error that names the first operation that cannot be served or described, and what to do.
 */
export function createDefineApi({ prepareDatabase, ...defaults }: ApiDefaults) {
  return function defineApi<G extends Groups = None, Shared extends object = None, Tools extends object = None>(
    definition: ApiDefinition<G, Shared, Tools>,
    options: { output?: DestinationStream } = {},
  ): ApiMain {
    const { settings: groups, setup, forRequest, shutdown, operations: define, routes = {}, openBecause, ...rest } = definition
    const { name, title, version, summary, description, license, servers, tags, parameters, schemas, ...others } = rest
    const listed = define(operation)
    const unlisted = findListMistake(listed)
    const operations = unlisted === undefined ? listed.flat() : []
    const taken = ['database', 'keys'].find(group => groups !== undefined && Object.hasOwn(groups, group))
    const mistake =
      taken === undefined
        ? (unlisted ?? findMistake({ operations, routes: Object.keys(routes), parameters: Object.keys(parameters ?? {}) }))
        : `settings has a group ${taken} already, choose another name`
    if (mistake !== undefined) {
      const error = new Error(`${name}: ${mistake}`)
      // The tools show the place of a mistake by the first line of the stack: that is the definition.
      Error.captureStackTrace(error, defineApi)
      throw error
    }
    const isOpen = operations.some(({ open }) => open)
    const contract = once(async () => {
      // Its converter is large, and seldom needed.
      const { describeApi } = await import('./openapi.ts')
      const described = { title, version, summary, description, license, servers, tags, parameters, schemas }
      return describeApi({ ...defaults, ...defined(described), name, operations })
    })
    const reason = openBecause ?? (isOpen ? undefined : 'each call needs an API key')
    const served: FunctionDefinition<Groups, Services<G, Shared>> = {
      ...others,
      name,
      ...(reason !== undefined && { openBecause: reason }),
      settings: { ...groups, database: databaseSettings, ...(operations.some(({ open }) => !open) && { keys: apiKeySettings }) },
      setup(given, tools) {
        const { database: address, keys, ...own } = given as unknown as Given
        const settings = own as SettingsOf<G>
        const { logger, timeLimitMs } = tools
        const database = prepareDatabase(address, { name, logger, timeLimitMs })
        const shared = setup?.(settings, { database: database.service, logger, timeLimitMs, pools: () => tools.pools() }) ?? ({} as Shared)
        return { database, keys: keys?.keys ?? [], settings, shared }
      },
      pool: ({ database }) => database.manager.getConnectionStatus(),
      async shutdown({ database, shared }) {
        try {
          await shutdown?.(shared)
        } finally {
          await database.manager.gracefulShutdown()
        }
      },
      routes: {
        [CONTRACT_ROUTE]: async () => json(200, await contract()),
        ...routes,
        ...Object.fromEntries(operations.toSorted(bySpecificity).map(one => [one.route, serveOperation(one, forRequest ?? noTools)])),
      },
    }
    const main = defineFunction(served, options)
    const scopes = [...new Set(operations.flatMap(({ scope }) => scope ?? []))].sort()
    return Object.assign(main, { operations, scopes, contract })
  }
}

interface Given {
  readonly database: DatabaseSettings
  readonly keys?: ApiSettings
}

const noTools = () => ({ tools: {} })

// The router takes the first route that matches: a word goes before a parameter.
function bySpecificity(one: RoutedOperation, other: RoutedOperation): number {
  const [left, right] = [one, other].map(({ route }) => route.replaceAll('{', '\uffff'))
  return (left ?? '') < (right ?? '') ? -1 : 1
}

function defined<Given extends object>(given: Given): { [Name in keyof Given]?: Exclude<Given[Name], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Given]?: Exclude<Given[Name], undefined>
  }
}

/** Shares one result, and forgets a failure. */
function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined
  return () =>
    (made ??= make().catch((error: unknown) => {
      made = undefined
      throw error
    }))
}
