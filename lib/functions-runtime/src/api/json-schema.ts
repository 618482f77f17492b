import * as z from 'zod/mini'
import { limitSchema } from '../content/page.ts'
import type { Json } from './contract.ts'

type Direction = 'input' | 'output'

/** Returns what `describe` does; an error of it gets the place in front. */
export function at<Described>(place: string, describe: () => Described): Described {
  try {
    return describe()
  } catch (cause) {
    throw new Error(`${place}: ${(cause as Error).message}`, { cause })
  }
}

/** Schemas as JSON Schema; those with a name are described once, among the components. */
export interface JsonSchemas {
  /** @throws Error for a schema that contains itself and has no name. */
  toJson(schema: z.ZodMiniType, direction: Direction): Json
  /** The schemas with a name, those that were met so far among them. */
  components(): Json
}

const AT = '#/components/schemas/'
// A number in a query is text that is read as one.
const LIMIT = { type: 'integer', minimum: 1, maximum: 100, default: 20 }

/** Converts schemas to JSON Schema. A name comes from `schemas`, or from a schema's own `id`; `bodies` are what requests hold. */
export function createJsonSchemas(schemas: Readonly<Record<string, z.ZodMiniType>>, bodies: ReadonlySet<unknown>): JsonSchemas {
  const names = new Map<unknown, string>()
  const byName = new Map<string, z.ZodMiniType>()
  for (const [name, schema] of Object.entries(schemas)) add(name, schema)

  function add(name: string, schema: z.ZodMiniType): void {
    if ((byName.get(name) ?? schema) !== schema) throw new Error(`two schemas are called ${name}: give each a name of its own`)
    byName.set(name, schema)
    names.set(schema, name)
  }

  function nameOf(schema: unknown): string | undefined {
    const { id } = z.globalRegistry.get(schema as z.ZodMiniType) ?? {}
    if (!names.has(schema) && id !== undefined) add(id, schema as z.ZodMiniType)
    return names.get(schema)
  }

  const directionOf = (schema: unknown): Direction => (bodies.has(schema) ? 'input' : 'output')

  function convert(schema: z.ZodMiniType, direction: Direction, isReferred: (inner: unknown) => boolean): Json {
    const {
      $schema: _,
      $defs = {},
      ...described
    } = withAdvice(() =>
      z.toJSONSchema(schema, {
        io: direction,
        metadata: withoutIds,
        override({ zodSchema, jsonSchema }) {
          const by = zodSchema === (limitSchema as unknown) ? LIMIT : isReferred(zodSchema) ? { $ref: `${AT}${nameOf(zodSchema)}` } : undefined
          if (by === undefined) return
          for (const key of Object.keys(jsonSchema)) delete jsonSchema[key]
          Object.assign(jsonSchema, by)
        },
      }),
    )
    const self = names.get(schema)
    const resolve = (ref: string): string => {
      const end = ref === '#' && self !== undefined ? `${AT}${self}` : ($defs[ref.slice('#/$defs/'.length)]?.$ref ?? ref)
      if (end.startsWith(AT)) return end
      throw new Error('a schema contains itself: give it a name under schemas')
    }
    return JSON.parse(
      JSON.stringify(described, (key, value: unknown) => (key === '$ref' && typeof value === 'string' ? resolve(value) : value)),
    ) as Json
  }

  function toJson(schema: z.ZodMiniType, direction: Direction): Json {
    return convert(schema, direction, inner => nameOf(inner) !== undefined && fits(inner as z.ZodMiniType, direction))
  }

  // What a schema takes and what it gives may differ, as with a default; the name stands for one of them.
  function fits(schema: z.ZodMiniType, direction: Direction): boolean {
    if (directionOf(schema) === direction) return true
    const [input, output] = (['input', 'output'] as const).map(one => JSON.stringify(component(schema, one)))
    return input === output
  }

  function component(schema: z.ZodMiniType, direction: Direction): Json {
    return convert(schema, direction, inner => inner !== schema && nameOf(inner) !== undefined && directionOf(inner) === direction)
  }

  return {
    toJson,
    components() {
      const described: Record<string, Json> = {}
      // A component may lead to further ones.
      for (const [name, schema] of byName) described[name] = at(`schemas.${name}`, () => component(schema, directionOf(schema)))
      return described
    },
  }
}

function withAdvice<Converted>(convert: () => Converted): Converted {
  try {
    return convert()
  } catch (cause) {
    // Errors of our own say what to do.
    if (!(cause as Error).message.endsWith('cannot be represented in JSON Schema')) throw cause
    throw new Error(`${(cause as Error).message}: use a schema of what JSON holds, such as z.iso.datetime() for a time`, { cause })
  }
}

// zod would put a schema with an id among definitions of each document that it makes.
const withoutIds = {
  get(schema: z.ZodMiniType) {
    const { id: _, ...described } = z.globalRegistry.get(schema) ?? {}
    return described
  },
} as unknown as typeof z.globalRegistry
