/** What the bare process saw of a bundle. */
export type ProbeReport =
  | { readonly outcome: 'failed'; readonly error: string }
  | {
      readonly outcome: 'loaded'
      readonly ms: number
      /** Names that the bundle exports. */
      readonly exported: readonly string[]
      /** Whether `main` is a function. */
      readonly isFunction: boolean
      /** Whether `import()` finds `main` as well. */
      readonly importable: boolean
      /** Names of the variables that `main` reads; empty for one that defineFunction did not make. */
      readonly variables: readonly string[]
      /** Why the contract of an API cannot be written. */
      readonly contractMistake?: string
      /** What loading has opened and not closed: timers, sockets, listeners. */
      readonly left: readonly string[]
    }
