import type * as z from 'zod/mini'
import type { RoutedOperation } from './operation.ts'

export type Json = Readonly<Record<string, unknown>>

/** What the contracts of all APIs of an application say. */
export interface ContractDefaults {
  readonly license?: { readonly name: string; readonly identifier?: string; readonly url?: string }
  /** Where a function is reached. Default: a namespace of DigitalOcean Functions, and `npm start`. */
  readonly servers?: (name: string) => readonly Json[]
}

/** What the contract of a function says beside its operations; all of it may be left out. */
export interface ContractDefinition {
  /** Default: the name of the function. */
  readonly title?: string
  /** Default: 1.0.0. */
  readonly version?: string
  readonly summary?: string
  readonly description?: string
  readonly license?: ContractDefaults['license']
  readonly servers?: ContractDefaults['servers']
  /** Descriptions of the groups of operations, by name. */
  readonly tags?: Readonly<Record<string, string>>
  /** Descriptions of what stands in paths, queries and headers, by name. */
  readonly parameters?: Readonly<Record<string, string>>
  /** Schemas that are described once, under these names. */
  readonly schemas?: Readonly<Record<string, z.ZodMiniType>>
}

/** An API to describe. */
export interface ApiDescription extends ContractDefinition {
  /** `package/function`. */
  readonly name: string
  readonly operations: readonly RoutedOperation[]
}
