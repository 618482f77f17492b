import { inspect } from 'node:util'

/** Prints what went wrong, with the error's stack if there is one, for whoever is working on the code. */
export function report(message: string, error?: unknown): void {
  console.error(error === undefined ? message : `${message}: ${inspect(error)}`)
}

/** Why the start failed, for the terminal: our own words, but all there is to see of a mistake in the code. */
export function inWords(error: unknown): string {
  const isMistake = error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError
  return error instanceof Error && error.message !== '' && !isMistake ? error.message : inspect(error)
}
