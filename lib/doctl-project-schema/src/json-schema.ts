import { z } from 'zod'
import { projectSchema } from './schema/project.ts'

/** A map or an anchor in the place of `$(NAME OTHER_NAME)`, which an editor sees before anything is substituted. */
const DICTIONARY = { type: 'string', pattern: '^\\$\\([^)]+\\)$' }

type Node = Record<string, unknown>

/**
 * The schema as JSON Schema, draft 2020-12, for editors. They see the file before substitution, so a map may also be
 * written as `$(NAME OTHER_NAME)` and take variables over with `<<`. Rules over several keys are left to the check.
 */
export function projectJsonSchema(): Node {
  const { $schema, ...schema } = z.toJSONSchema(projectSchema, {
    io: 'input',
    target: 'draft-2020-12',
    override: ({ jsonSchema }) => widen(jsonSchema as Node),
  })
  return { $schema, title: 'project.yml', description: 'What doctl serverless deploy deploys to DigitalOcean Functions.', ...schema }
}

/** A map with names of its own: environment, parameters, annotations and body. */
function widen(node: Node): void {
  const { type, propertyNames, additionalProperties, ...rest } = node
  if (type !== 'object' || propertyNames === undefined) return
  for (const key of Object.keys(node)) delete node[key]
  const pattern = (propertyNames as Node).pattern
  // A merge of several dictionaries is a list, which is no value of a variable.
  const map = {
    type: 'object',
    ...(typeof pattern === 'string' ? { propertyNames: { type: 'string', pattern: `${pattern}|^<<$` } } : {}),
    properties: { '<<': { description: 'Variables taken over from the environment: $(NAME OTHER_NAME).' } },
    additionalProperties,
  }
  Object.assign(node, rest, { anyOf: [map, DICTIONARY] })
}
