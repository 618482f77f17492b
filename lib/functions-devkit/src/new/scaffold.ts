/** What `npm run new` writes. */
export interface Scaffold {
  /** Texts by path, seen from the application's folder. */
  readonly files: Readonly<Record<string, string>>
  /** What to do next, a sentence each. */
  readonly next: readonly string[]
}

/** The application that a scaffold is for. */
export interface ScaffoldOptions {
  readonly application: string
  /** The words of the name. */
  readonly words: readonly string[]
  /** Whether the tests' support of this repository is there; without it no test is written. */
  readonly withTest: boolean
}
