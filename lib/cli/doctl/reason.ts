interface Output {
  readonly stdout: string
  readonly stderr: string
}

/** Returns every line in which doctl says what went wrong, without its prefix; empty when it says nothing. */
export function errorsOf({ stdout, stderr }: Output): string[] {
  const details = detailsOf(stdout)
  if (details.length > 0) return details.flatMap(linesOf)
  const lines = linesOf(stderr)
  // Several failures are one text: each line after the first belongs to it.
  const first = lines.findIndex(line => ERROR.test(line))
  return first === -1 ? [] : lines.slice(first).map(line => line.replace(ERROR, ''))
}

/** Returns why a call failed, on one line. */
export function reasonOf(result: Output): string {
  const errors = errorsOf(result)
  return errors.length > 0 ? errors.join('; ') : (linesOf(result.stderr || result.stdout).at(-1) ?? 'doctl prints no reason')
}

/** Returns standard output without the JSON in which doctl reports errors. */
export function withoutErrors(stdout: string): string {
  return stdout
    .split('\n')
    .filter(line => detailsOf(line).length === 0)
    .join('\n')
}

const ERROR = /^[\s›]*Error: /

// With `--output json`, or `output: json` in doctl's own configuration, errors are one line of JSON on standard output.
function detailsOf(stdout: string): string[] {
  return stdout.split('\n').flatMap(line => {
    if (!line.startsWith('{"errors":')) return []
    try {
      const { errors } = JSON.parse(line) as { errors: readonly { detail: string }[] }
      return errors.map(({ detail }) => String(detail))
    } catch {
      return []
    }
  })
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
}
