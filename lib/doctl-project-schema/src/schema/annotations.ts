import { type RefusalCode, refuse } from '../refusals.ts'
import { jsonMap } from './json-map.ts'

/** Annotations of a package or a function, without those that the deployer or doctl keeps for itself. */
export function annotationsSchema(forbidden: Readonly<Record<string, RefusalCode>>) {
  return jsonMap('annotations-type')
    .superRefine((annotations, context) => {
      for (const key of Object.keys(annotations)) {
        const code = Object.hasOwn(forbidden, key) ? forbidden[key] : undefined
        if (code) context.addIssue({ code: 'custom', message: refuse(code), path: [key] })
      }
    })
    .meta({ description: 'Annotations: a map of names to JSON values.' })
}
