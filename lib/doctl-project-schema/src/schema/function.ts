import { z } from 'zod'
import { missingOr, refuse } from '../refusals.ts'
import { annotationsSchema } from './annotations.ts'
import { environmentSchema } from './environment.ts'
import { jsonMap } from './json-map.ts'
import { limitsSchema } from './limits.ts'
import { nameSchema } from './name.ts'
import { triggerSchema } from './trigger.ts'

/** What would give a sequence code of its own. */
const CODE_KEYS = ['runtime', 'main', 'file', 'binary', 'docker', 'remoteBuild', 'localBuild'] as const

const webSecureSchema = z.union([z.literal(false), z.string()], { error: refuse('web-secure-type') }).superRefine((value, context) => {
  if (value === '') context.addIssue({ code: 'custom', message: refuse('web-secure-empty') })
  // doctl counts the string "true" as invalid; "false" would be a secret that reads like its absence.
  else if (value === 'true' || value === 'false') context.addIssue({ code: 'custom', message: refuse('web-secure-word') })
})

/** A function of a package. */
export const functionSchema = z
  .strictObject(
    {
      name: nameSchema.meta({ description: 'Name of the function and of its folder under packages/<package>/.' }),
      runtime: z
        .literal('nodejs:24', { error: refuse('runtime-value') })
        .optional()
        .meta({ description: 'nodejs:24. Required, unless the function is a sequence or an image.' }),
      main: z
        .string({ error: refuse('main-type') })
        .optional()
        .meta({ description: 'Name of the exported function; main by default.' }),
      file: z
        .string({ error: refuse('file-type') })
        .min(1, { error: refuse('file-type') })
        .optional()
        .meta({ description: 'Path of the code, when it is not the function’s folder.' }),
      docker: z
        .string({ error: refuse('docker-type') })
        .min(1, { error: refuse('docker-type') })
        .optional()
        .meta({ description: 'Image to run the function in.' }),
      binary: z
        .boolean({ error: refuse('binary-type') })
        .optional()
        .meta({ description: 'Whether the code is binary.' }),
      remoteBuild: z
        .boolean({ error: refuse('remote-build-type') })
        .optional()
        .meta({ description: 'Require a build on the platform.' }),
      localBuild: z
        .boolean({ error: refuse('local-build-type') })
        .optional()
        .meta({ description: 'Require a build on this machine.' }),
      web: z
        .union([z.boolean(), z.literal('raw')], { error: missingOr('web-missing', 'web-type') })
        .meta({ description: 'true: public, with a parsed body. raw: public, with the body as sent. false: callable with credentials only.' }),
      webSecure: webSecureSchema.optional().meta({ description: 'Secret that a caller sends as X-Require-Whisk-Auth, or false.' }),
      environment: environmentSchema.optional(),
      parameters: jsonMap('parameters-type').optional().meta({ description: 'Values added to each event.' }),
      annotations: annotationsSchema({
        'web-export': 'annotation-web-export',
        'raw-http': 'annotation-raw-http',
        'require-whisk-auth': 'annotation-require-whisk-auth',
        'provide-api-key': 'annotation-provide-api-key',
      }).optional(),
      limits: limitsSchema.optional().meta({ description: 'Limits of one run.' }),
      triggers: z
        .array(triggerSchema, { error: refuse('triggers-type') })
        .optional()
        .meta({ description: 'Schedules that run the function.' }),
      sequence: z
        .array(z.string({ error: refuse('sequence-name') }).min(1, { error: refuse('sequence-name') }), { error: refuse('sequence-type') })
        .min(1, { error: refuse('sequence-empty') })
        .optional()
        .meta({ description: 'Functions to run one after the other, in place of code.' }),
    },
    { error: refuse('function-type') },
  )
  // For editors; the rule itself is below.
  .meta({ if: { not: { anyOf: [{ required: ['sequence'] }, { required: ['docker'] }] } }, then: { required: ['runtime'] } })
  .superRefine(
    (value, context) => {
      const present = (key: keyof typeof value) => value[key] !== undefined
      const refuseAt = (key: keyof typeof value, message: string) => context.addIssue({ code: 'custom', message, path: [key] })
      if (present('sequence')) {
        for (const key of CODE_KEYS) if (present(key)) refuseAt(key, refuse('sequence-exclusive', key))
      } else if (!present('runtime') && !present('docker')) refuseAt('runtime', refuse('runtime-missing'))
      if (value.remoteBuild === true && value.localBuild === true) refuseAt('localBuild', refuse('build-conflict'))
    },
    { when: isMap },
  )

/** Lets a rule over several keys run although one of them is wrong, so that all issues are reported together. */
export function isMap(payload: { readonly value: unknown }): boolean {
  return typeof payload.value === 'object' && payload.value !== null && !Array.isArray(payload.value)
}
