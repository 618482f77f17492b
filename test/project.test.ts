import { expect, it } from 'vitest'
import { project } from '../lib/app/project.ts'
import { application, type Project } from '../lib/functions-devkit/src/application.ts'

it('the application is what the tools take it for, and what they read', () => {
  // The compiler compares the two.
  const described: Project = project
  expect(application).toMatchObject(described)
})
