import { LARGEST_PAYLOAD } from './limits.ts'

/** The result as it leaves the function's process; `undefined` when JSON cannot hold it or it exceeds 1 MB. */
export function throughJson(result: unknown): unknown {
  try {
    const text = JSON.stringify(result)
    return Buffer.byteLength(text) > LARGEST_PAYLOAD ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The runtimes turn an error into its name, message, stack and own fields. */
export function asPlain(error: unknown): unknown {
  if (!(error instanceof Error)) return throughJson(error ?? {})
  return throughJson({ ...error, name: error.name, message: error.message, stack: error.stack })
}

/** Whether a value is what a function's result has to be. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
