import * as z from 'zod/mini'
import { UnplayableError } from './seed-options.ts'
import { cutHows, networkHows, restartHows, strikeHows, strikePlaces, versions, type Schedule } from './schedule.ts'

const LONGEST_MS = 60_000
const count = z.int().check(z.minimum(1), z.maximum(100))
const place = z.int().check(z.nonnegative(), z.maximum(100))
const ms = z.number().check(z.nonnegative(), z.maximum(LONGEST_MS))
const step = <Fields extends z.core.$ZodLooseShape>(name: string, fields: Fields) => z.strictObject({ afterMs: ms, do: z.literal(name), ...fields })

const scheduleSchema = z.strictObject({
  containers: z.array(z.strictObject({ version: z.enum(versions), clockMs: z.number() })).check(z.minLength(1)),
  steps: z.array(
    z.discriminatedUnion('do', [
      step('send', { operation: z.string(), request: place, container: place, copies: count }),
      step('maintain', { container: place, copies: count }),
      step('cut', { how: z.enum(cutHows) }),
      step('network', { how: z.enum(networkHows), ms }),
      step('strike', { at: z.enum(strikePlaces), when: z.enum(['before', 'after']), how: z.enum(strikeHows) }),
      step('pause', { container: place, ms }),
      step('kill', { container: place }),
      step('restart', { how: z.enum(restartHows), ms }),
    ]),
  ),
})

/**
 * Reads a schedule from the JSON that a failure prints.
 * @throws UnplayableError that says what is wrong and where
 */
export function readSchedule(text: string, operations: readonly string[]): Schedule {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new UnplayableError(`The schedule is not JSON: ${(cause as Error).message}`, { cause })
  }
  const { success, data, error } = z.safeParse(scheduleSchema, value)
  if (!success) {
    const [{ path, message } = { path: [], message: '' }] = error.issues
    throw new UnplayableError(`The schedule has something wrong at ${path.join('.') || 'its top'}: ${message}`)
  }
  const schedule = data as Schedule
  const unknown = schedule.steps.find(one => one.do === 'send' && !operations.includes(one.operation))
  if (unknown?.do === 'send') throw new UnplayableError(`The application proves no operation '${unknown.operation}', only ${operations.join(', ')}`)
  return schedule
}
