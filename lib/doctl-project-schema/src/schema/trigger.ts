import { z } from 'zod'
import { missingOr, refuse } from '../refusals.ts'
import { cronSchema } from './cron.ts'
import { jsonMap } from './json-map.ts'
import { nameSchema } from './name.ts'

/** When a trigger fires, and the event it sends. */
export const scheduledDetailsSchema = z.strictObject(
  {
    cron: cronSchema,
    body: jsonMap('body-type').optional().meta({ description: 'The event that the function receives.' }),
  },
  { error: missingOr('details-missing', 'details-type') },
)

/** A trigger: runs its function on a schedule. */
export const triggerSchema = z.strictObject(
  {
    name: nameSchema.meta({ description: 'Name of the trigger, unique in the namespace.' }),
    type: z
      .string({ error: missingOr('trigger-kind-missing', 'trigger-kind') })
      // In any case, spelt out because JSON Schema knows no flags.
      .regex(/^[Ss][Cc][Hh][Ee][Dd][Uu][Ll][Ee][Dd]$/, { error: refuse('trigger-kind') })
      .meta({ description: 'SCHEDULED, the only type there is.', examples: ['SCHEDULED'] }),
    enabled: z
      .boolean({ error: refuse('enabled-type') })
      .optional()
      .meta({ description: 'Whether the trigger fires; true by default.' }),
    scheduledDetails: scheduledDetailsSchema.meta({ description: 'When the trigger fires, and with what.' }),
  },
  { error: refuse('trigger-type') },
)
