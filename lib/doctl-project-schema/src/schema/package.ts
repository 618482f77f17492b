import { z } from 'zod'
import { refuse } from '../refusals.ts'
import { annotationsSchema } from './annotations.ts'
import { environmentSchema } from './environment.ts'
import { functionSchema, isMap } from './function.ts'
import { jsonMap } from './json-map.ts'
import { nameSchema } from './name.ts'
import { repeatedNames } from './repeated-names.ts'

/** What the package `default`, which exists only as a place for functions, cannot have. */
const KEYS_WITHOUT_DEFAULT = ['environment', 'parameters', 'annotations', 'binding'] as const

/** A package of another namespace. */
export const bindingSchema = z.strictObject({ namespace: bindingName('namespace'), name: bindingName('name') }, { error: refuse('binding-type') })

/** A package and its functions. */
export const packageSchema = z
  .strictObject(
    {
      name: nameSchema.meta({ description: 'Name of the package and of its folder under packages/.' }),
      functions: z
        .array(functionSchema, { error: refuse('functions-type') })
        .min(1, { error: refuse('functions-empty') })
        .optional()
        .meta({ description: 'Functions of the package. Required, unless the package is a binding.' }),
      environment: environmentSchema.optional(),
      parameters: jsonMap('parameters-type').optional().meta({ description: 'Values added to each event of each function.' }),
      annotations: annotationsSchema({
        'require-whisk-auth': 'annotation-require-whisk-auth',
        'provide-api-key': 'annotation-provide-api-key',
      }).optional(),
      shared: z
        .boolean({ error: refuse('shared-type') })
        .refine(shared => !shared, { error: refuse('shared-package') })
        .optional()
        .meta({ description: 'false; doctl forbids true.' }),
      web: z
        .union([z.boolean(), z.literal('raw')], { error: refuse('web-type') })
        .optional()
        .meta({ description: 'Has no effect: every function states its own web.' }),
      binding: bindingSchema.optional().meta({ description: 'Package of another namespace that this one stands for.' }),
    },
    { error: refuse('package-type') },
  )
  // For editors; the rule itself is below.
  .meta({ if: { not: { required: ['binding'] } }, then: { required: ['functions'] } })
  .superRefine(
    (value, context) => {
      const refuseAt = (path: PropertyKey[], message: string) => context.addIssue({ code: 'custom', message, path })
      if (value.binding === undefined && value.functions === undefined) refuseAt(['functions'], refuse('functions-missing'))
      if (value.name === 'default') {
        for (const key of KEYS_WITHOUT_DEFAULT) if (hasEntries(value[key])) refuseAt([key], refuse('default-package', key))
      } else if (value.binding !== undefined && value.functions !== undefined) refuseAt(['binding'], refuse('binding-with-functions'))
      for (const index of repeatedNames(value.functions)) refuseAt(['functions', index, 'name'], refuse('duplicate-function'))
    },
    { when: isMap },
  )

/** Whether a value is a map that is not empty. */
export function hasEntries(value: unknown): boolean {
  return isMap({ value }) && Object.keys(value as object).length > 0
}

function bindingName(key: string) {
  return z
    .string({ error: issue => refuse(issue.input === undefined ? 'binding-incomplete' : 'binding-name', key) })
    .min(1, { error: refuse('binding-name', key) })
    .meta({ description: `The ${key} of the package that is bound.` })
}
