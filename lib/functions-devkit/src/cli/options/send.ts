import { defineCommand } from '../define-command.ts'

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
  /** The outcome or the code that each answer has to have; without it the status decides. */
  readonly expect: string | undefined
  readonly json: boolean
}

const MOST = 10_000
const FLAG = { type: 'boolean', default: false } as const

export const command = defineCommand({
  usage: `usage: npm run send -- <source> <type> [--times n] [--tamper] [--duplicate] [--data '{…}'] [--expect <outcome>]
         [--local] [--json]

  Sends signed events to the npm start that is running, and prints each answer.
  --times n            send n events, each with an id of its own
  --tamper             alter the body after it was signed
  --duplicate          send every event twice
  --data '{…}'         what the event holds, instead of a sample
  --expect <outcome>   what each answer has to say, such as applied, ignored, deferred, or the code of a refusal; of an event
                       that is sent twice, the second answer may also say duplicate. Without it a 2xx but not failed, with --tamper a 401
  --local              the npm start that is running, which is the default
  --json               print { "asExpected", "answers" } instead of a line for each answer

Exit status: 0 every answer is as expected, 1 one is not, 2 nothing sent.`,
  options: {
    times: { type: 'string', default: '1' },
    tamper: FLAG,
    duplicate: FLAG,
    data: { type: 'string' },
    expect: { type: 'string' },
    local: FLAG,
    json: FLAG,
  },
  takesWords: true,
  read({ values, words: [source, type, ...more] }): SendOptions {
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
      expect: values.expect,
      json: values.json,
    }
  },
})

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
