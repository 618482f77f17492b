import { parseProject, projectSchema } from 'doctl-project-schema'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { VALID_ENVIRONMENT, VALID_PROJECT } from './valid-project.ts'

describe('the schema', () => {
  it('turns into a JSON schema whose maps are closed', () => {
    const schema = z.toJSONSchema(projectSchema, { io: 'input' })
    expect(schema).toMatchObject({ type: 'object', required: ['packages'], additionalProperties: false })
    expect(JSON.stringify(schema)).toContain('"const":"nodejs:24"')
  })

  it('comes with the package under its name', () => {
    expect(parseProject(VALID_PROJECT, VALID_ENVIRONMENT).packages).toHaveLength(2)
  })
})
