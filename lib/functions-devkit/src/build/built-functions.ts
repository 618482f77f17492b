import { functionsOf, parseProject, placeholderEnvironment, type ProjectFunction } from '../../../doctl-project-schema/src/index.ts'

/**
 * Returns the functions of a project.yml that have code to build: a sequence and an image have none. Variables need no values.
 * @throws ProjectFileError
 */
export function builtFunctions(text: string): ProjectFunction[] {
  return functionsOf(parseProject(text, placeholderEnvironment(text))).filter(({ runtime }) => runtime === 'nodejs:24')
}
