import { checkDefinition } from './check-definition.ts'
import type { SourceDefinition } from './source.ts'

/**
 * Returns the definition of one sender, unchanged. Its name is given later, as the key in the table of sources: the path of its
 * deliveries. A mistake is an error of the compiler at its field, and of the first import where nothing is compiled.
 * @throws TypeError that says which field is wrong, and what it has to be.
 */
export function defineSource(definition: SourceDefinition): SourceDefinition {
  checkDefinition(definition)
  return definition
}
