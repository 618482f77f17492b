import { stripVTControlCharacters } from 'node:util'

interface Output {
  readonly stdout: string
  readonly stderr: string
}

/** Returns every line in which doctl says what went wrong, without its prefix; empty when it says nothing. */
export function errorsOf({ stdout, stderr }: Output): string[] {
  const details = detailsOf(stdout)
  if (details.length > 0) return details.flatMap(linesOf)
  const lines = linesOf(stripVTControlCharacters(stderr))
  // Several failures are one text: each line after the first belongs to it.
  const first = lines.findIndex(line => ERROR.test(line))
  return first === -1 ? [] : lines.slice(first).map(line => line.replace(ERROR, ''))
}

/** Returns why a call failed, on one line. */
export function reasonOf(result: Output): string {
  const errors = errorsOf(result)
  return errors.length > 0 ? errors.join('; ') : (linesOf(result.stderr.trim() || result.stdout).at(-1) ?? 'doctl prints no reason')
}

/** Returns standard output without the JSON in which doctl reports errors. */
export function withoutErrors(stdout: string): string {
  if (detailsIn(stdout).length > 0) return ''
  return stdout
    .split('\n')
    .filter(line => detailsIn(line).length === 0)
    .join('\n')
}

const ERROR = /^[\s›]*Error: /

// With `--output json`, or `output: json` in doctl's own configuration, errors are JSON on standard output: one line after
// what was printed before, or the whole of it.
function detailsOf(stdout: string): string[] {
  const whole = detailsIn(stdout)
  return whole.length > 0 ? whole : stdout.split('\n').flatMap(detailsIn)
}

function detailsIn(text: string): string[] {
  if (!/^\s*\{\s*"errors"/.test(text)) return []
  try {
    const { errors } = JSON.parse(text) as { readonly errors?: unknown }
    return Array.isArray(errors) ? errors.map(detailOf) : []
  } catch {
    return []
  }
}

function detailOf(error: unknown): string {
  const { detail, message } = (typeof error === 'object' && error !== null ? error : { detail: error }) as { detail?: unknown; message?: unknown }
  const found = detail ?? message
  return typeof found === 'string' ? found : JSON.stringify(error)
}

/** Returns the lines of a text that hold something, trimmed. */
export function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
}
