import { z } from 'zod'
import { refuse, type RefusalCode } from '../refusals.ts'

/** What a function gets for a limit that its project file does not set. */
export const DEFAULT_LIMITS = {
  /** Milliseconds. */
  timeout: 3000,
  /** Megabytes. */
  memory: 256,
  /** Kilobytes. */
  logs: 16,
} as const

/** Limits of a function, inside the ranges that the platform checks only at deploy. */
export const limitsSchema = z.strictObject(
  {
    timeout: limit('timeout-range', 100, 900_000).meta({
      description: 'Longest run in milliseconds, start included: 100 to 900000, 3000 by default.',
    }),
    memory: limit('memory-range', 128, 1024).meta({ description: 'Memory in megabytes: 128 to 1024, 256 by default.' }),
    logs: limit('logs-range', 0, 256).meta({ description: 'Log kept of one run in kilobytes: 0 to 256, 16 by default.' }),
  },
  { error: refuse('limits-type') },
)

function limit(outOfRange: RefusalCode, least: number, most: number) {
  return z
    .number({ error: refuse('limit-type') })
    .int({ error: refuse('limit-integer'), abort: true })
    .min(least, { error: refuse(outOfRange) })
    .max(most, { error: refuse(outOfRange) })
    .optional()
}
