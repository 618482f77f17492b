/** Which convention a function is loaded and called by. */
export type RuntimeKind = 'apache' | 'digitalocean'

/** What the runner is told. */
export type Order =
  | { order: 'init'; runtime: RuntimeKind; folder: string; environment: Record<string, string> }
  | { order: 'run'; event: unknown; environment: Record<string, string> }

/** What it answers. `refused` is a result that the runtime does not accept. */
export type Answer =
  | { answer: 'listening' }
  | { answer: 'initialised'; ms: number }
  | { answer: 'failed'; error: string }
  | { answer: 'result'; result: unknown }
  | { answer: 'refused'; type: string }

/** Printed by the runtime on both streams after every call. */
export const END_OF_ACTIVATION = 'XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX'
