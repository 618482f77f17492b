import { z } from 'zod'
import { refuse } from '../refusals.ts'

/**
 * Environment variables. The deployer checks their values on packages and functions only; at project level
 * 0, false and null silently arrive as "", so strings are asked for at every level.
 */
export const environmentSchema = z
  .record(
    z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: refuse('environment-name') }),
    z.string({ error: issue => refuse('environment-value', kindOf(issue.input)) }),
    { error: refuse('environment-type') },
  )
  .meta({ description: 'Environment variables: a map of names to strings, or $(NAME OTHER_NAME) to take them over.' })

/** The kind of a YAML value in the words of a project file's author. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (value instanceof Date) return 'date'
  if (Array.isArray(value)) return 'list'
  return typeof value === 'object' ? 'map' : typeof value
}
