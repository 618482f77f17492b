import { findReferences, isSettableName } from './source/substitution.ts'

/** Harmless as text, as a YAML string, and unlike any real value. */
const PLACEHOLDER = 'placeholder'

/**
 * An environment that resolves every substitution of a text, for reading a project file where its secrets
 * are not at hand; short of names that no variable can have, which stay unresolved as they would be in any environment. What a file substitutes outside of environment values reads as the placeholder too.
 */
export function placeholderEnvironment(text: string): Record<string, string> {
  const names = findReferences(text).references.flatMap(reference => reference.names)
  return Object.fromEntries(names.filter(isSettableName).map(name => [name, PLACEHOLDER]))
}
