/** What a watching build tells on standard output, one line of JSON each. Functions are named `package/function`. */
export type WatchEvent =
  /** The first version of every function is there. */
  | { readonly event: 'built' }
  | { readonly event: 'rebuilt'; readonly functions: readonly string[]; readonly ms: number }
  /** `text` says what is wrong, with file, line and excerpt; the versions before stay. Said once for each mistake. */
  | { readonly event: 'failed'; readonly functions: readonly string[]; readonly text: string }
  /** A rebuild was asked for, and nothing had changed. */
  | { readonly event: 'unchanged' }

/** What a watching build takes on standard input. The first one begins it: until then it builds the parts alone, which do not depend on the functions. */
export const REBUILD = 'rebuild'
