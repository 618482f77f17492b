import { expect, it } from 'vitest'
import { project } from '../lib/app/project.ts'
import { application, type Application } from '../lib/functions-devkit/src/application.ts'

it('the application is what the tools take it for, and what they read', () => {
  // The compiler compares the two.
  const described: Application = project
  expect(application).toBe(described)
})
