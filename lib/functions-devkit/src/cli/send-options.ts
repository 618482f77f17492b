import { parseArgs } from 'node:util'

export interface SendOptions {
  readonly source: string
  readonly type: string
  /** How many events, each with an id of its own. */
  readonly times: number
  /** Alters the body after it was signed. */
  readonly tamper: boolean
  /** Sends every event twice. */
  readonly duplicate: boolean
  readonly data: Readonly<Record<string, unknown>> | undefined
}

const MOST = 10_000

export const USAGE = `usage: npm run send -- <source> <type> [--times n] [--tamper] [--duplicate] [--data '{…}']

  --times n      send n events, each with an id of its own
  --tamper       alter the body after it was signed
  --duplicate    send every event twice
  --data '{…}'   what the event holds, instead of a sample`

/**
 * Reads what stands behind `npm run send --`.
 * @throws Error with the usage for anything else.
 */
export function readSendOptions(args: readonly string[]): SendOptions {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        times: { type: 'string', default: '1' },
        tamper: { type: 'boolean', default: false },
        duplicate: { type: 'boolean', default: false },
        data: { type: 'string' },
      },
    })
    const [source, type, ...more] = positionals
    if (!source || !type || more.length > 0) throw new Error('A source and a type are needed, and nothing else')
    const times = Number(values.times)
    if (!/^\d+$/.test(values.times) || times < 1 || times > MOST) throw new Error(`--times takes a whole number from 1 to ${MOST}`)
    return {
      source,
      type,
      times,
      tamper: values.tamper,
      duplicate: values.duplicate,
      data: values.data === undefined ? undefined : readData(values.data),
    }
  } catch (cause) {
    throw new Error(`${(cause as Error).message}\n${USAGE}`, { cause })
  }
}

function readData(text: string): Record<string, unknown> {
  const value: unknown = parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('--data takes a JSON object')
  return value as Record<string, unknown>
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
