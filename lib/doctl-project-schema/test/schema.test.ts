import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseProject } from '../src/index.ts'
import committedSchema from 'doctl-project-schema/project.schema.json' with { type: 'json' }
import { describe, expect, it } from 'vitest'
import { projectJsonSchema } from '../src/json-schema.ts'
import { SCHEMA_WORDS } from '../src/schema-issues.ts'
import { VALID_ENVIRONMENT, VALID_PROJECT } from './valid-project.ts'

type Node = Record<string, unknown>

/** Every property of every map of a schema, with the path that leads to it. */
function propertiesOf(node: unknown, path = ''): { path: string; name: string; schema: Node }[] {
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node).flatMap(([key, child]: [string, unknown]) => {
    if (key !== 'properties') return propertiesOf(child, `${path}/${key}`)
    return Object.entries(child as Record<string, Node>).flatMap(([name, schema]) => [
      { path: `${path}/${name}`, name, schema },
      ...propertiesOf(schema, `${path}/${name}`),
    ])
  })
}

describe('the JSON schema', () => {
  it('is the one that is committed: doctl-project-schema schema > project.schema.json writes it', () => {
    const text = readFileSync(join(import.meta.dirname, '../project.schema.json'), 'utf8')
    expect(JSON.parse(text)).toEqual(projectJsonSchema())
    expect(committedSchema).toEqual(JSON.parse(text))
  })

  it('says which draft it is written in', () => {
    expect(projectJsonSchema().$schema).toBe('https://json-schema.org/draft/2020-12/schema')
  })

  it('describes every key', () => {
    const properties = propertiesOf(projectJsonSchema())
    expect(properties.length).toBeGreaterThan(40)
    for (const { path, schema } of properties) expect([path, schema.description]).toEqual([path, expect.stringMatching(/^\S.{8,}[.]$/)])
  })

  it('knows the keys that the parser knows, and none else', () => {
    const names = new Set(propertiesOf(projectJsonSchema()).map(({ name }) => name))
    names.delete('<<')
    expect([...names].toSorted()).toEqual([...SCHEMA_WORDS].toSorted())
  })

  it('has no map that lets unknown keys through, but those whose keys are names', () => {
    const open = JSON.stringify(projectJsonSchema()).match(/"type":"object"(?:(?!"type":"object").)*?"additionalProperties":\{\}/g) ?? []
    // parameters three times, annotations twice, body once.
    expect(open).toHaveLength(6)
  })
})

describe('the package', () => {
  it('comes under its name', () => {
    expect(parseProject(VALID_PROJECT, VALID_ENVIRONMENT).packages).toHaveLength(2)
  })
})
