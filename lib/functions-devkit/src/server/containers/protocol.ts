import { type SettingIssue } from '../../../../functions-runtime/src/settings/settings.ts'

// How the platform and a container speak, as with the public runtimes: `POST /init` once, then `POST /run` for each call.

/** Printed by the runtime on both streams after every call. */
export const END_OF_ACTIVATION = 'XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX'

/** The pipe on which a container gets its key and tells its port. Its end ends the container. */
export const CONTROL_FD = 3

/** Set on the answer to a call that threw: the public runtimes do not tell it from a returned `error`. */
export const THROWN_HEADER = 'x-thrown'

export interface InitBody {
  readonly value: {
    /** The file to load, in the place of the code itself. */
    readonly entry: string
    /** The function's variables, set before its code is loaded and never again. */
    readonly env: Readonly<Record<string, string>>
    /** Where the sources lie, on the machine of their author: errors are shown in full then, with their lines there. */
    readonly checkout?: string
  }
}

/** Beside the event, each entry becomes a variable: `activation_id` is `__OW_ACTIVATION_ID`. */
export interface RunBody {
  readonly value: unknown
  readonly [name: string]: unknown
}

/** What a bundle says of itself, once it is loaded. */
export interface SelfDescription {
  /** Every variable that it reads. */
  readonly variables: readonly string[]
  /** What is wrong with those that it was given. */
  readonly settingIssues: readonly SettingIssue[]
  /** The scopes that its operations ask for. */
  readonly scopes: readonly string[]
}
