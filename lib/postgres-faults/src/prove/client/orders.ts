import { type CallEnd } from '../../../../functions-devkit/src/server/platform/response.ts'

/** What the parent tells the process of a client. Each order is answered once, under its number. */
export type Order = { readonly order: number } & (
  | { readonly tell: 'load'; readonly entry: string }
  /** Ends what earlier calls have built: the next one is a cold start, with these variables and a clock that is so far ahead. */
  | { readonly tell: 'begin'; readonly variables: Variables; readonly clockMs: number }
  | { readonly tell: 'call'; readonly event: Readonly<Record<string, unknown>>; readonly variables: Variables }
)

/** One that is null is taken out of the environment. */
export type Variables = Readonly<Record<string, string | null>>

/** The answer: `end` to a call. */
export type Report = { readonly order: number } & ({ readonly end?: CallEnd } | { readonly failed: string })
