import { z } from 'zod'
import { missingOr, refuse } from '../refusals.ts'
import { environmentSchema } from './environment.ts'
import { isMap } from './function.ts'
import { jsonMap } from './json-map.ts'
import { hasEntries, packageSchema } from './package.ts'
import { repeatedNames } from './repeated-names.ts'

/** The most triggers that a namespace takes. */
const MOST_TRIGGERS = 3

const namespaceName = z.string({ error: refuse('target-namespace-name') }).min(1, { error: refuse('target-namespace-name') })

const targetNamespaceSchema = z.union(
  [
    namespaceName,
    z
      .strictObject({
        test: namespaceName.optional().meta({ description: 'Namespace to deploy to while testing.' }),
        production: namespaceName.optional().meta({ description: 'Namespace to deploy to in production.' }),
      })
      .refine(names => Object.keys(names).length > 0, { error: refuse('target-namespace') }),
  ],
  { error: refuse('target-namespace') },
)

/** A project file as the deployer reads it, held to stricter rules than the deployer's own. */
export const projectSchema = z
  .strictObject(
    {
      packages: z
        .array(packageSchema, { error: missingOr('packages-missing', 'packages-type') })
        .min(1, { error: refuse('packages-empty') })
        .meta({ description: 'Packages of the project; each one is a folder under packages/.' }),
      environment: environmentSchema.optional(),
      parameters: jsonMap('parameters-type').optional().meta({ description: 'Values added to each event of each function.' }),
      targetNamespace: targetNamespaceSchema.optional().meta({ description: 'Namespace to deploy to, or one for test and one for production.' }),
    },
    { error: refuse('project-type') },
  )
  .superRefine(
    (value, context) => {
      const refuseAt = (path: PropertyKey[], message: string) => context.addIssue({ code: 'custom', message, path })
      for (const index of repeatedNames(value.packages)) refuseAt(['packages', index, 'name'], refuse('duplicate-package'))
      const triggers = triggersOf(value.packages)
      for (const index of repeatedNames(triggers.map(({ trigger }) => trigger)))
        refuseAt([...(triggers[index]?.path ?? []), 'name'], refuse('duplicate-trigger'))
      const surplus = triggers[MOST_TRIGGERS]
      if (surplus) refuseAt(surplus.path, refuse('too-many-triggers'))
      if (listOf(value.packages).some(item => propertyOf(item, 'name') === 'default' && listOf(propertyOf(item, 'functions')).length > 0)) {
        for (const key of ['environment', 'parameters'] as const) if (hasEntries(value[key])) refuseAt([key], refuse('default-package-inherits', key))
      }
    },
    { when: isMap },
  )

/** A project file that passed every check. */
export type Project = z.infer<typeof projectSchema>

function triggersOf(packages: unknown): { trigger: unknown; path: PropertyKey[] }[] {
  return listOf(packages).flatMap((item, packageIndex) =>
    listOf(propertyOf(item, 'functions')).flatMap((entry, functionIndex) =>
      listOf(propertyOf(entry, 'triggers')).map((trigger, triggerIndex) => ({
        trigger,
        path: ['packages', packageIndex, 'functions', functionIndex, 'triggers', triggerIndex],
      })),
    ),
  )
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : []
}

function propertyOf(value: unknown, key: string): unknown {
  return isMap({ value }) ? (value as Record<string, unknown>)[key] : undefined
}
