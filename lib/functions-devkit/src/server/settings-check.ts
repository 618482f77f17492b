import { type CallableFunction } from './served-function.ts'

/**
 * Makes sure that every function would find its settings usable, before anybody calls one.
 * @throws Error that names every variable at fault, each once, with the functions that read it.
 */
export function checkSettings(functions: readonly Pick<CallableFunction, 'qualifiedName' | 'settingIssues'>[]): void {
  const readers = new Map<string, string[]>()
  for (const { qualifiedName, settingIssues } of functions) {
    for (const { variable, reason } of settingIssues()) {
      const issue = `${variable} ${reason}`
      readers.set(issue, [...(readers.get(issue) ?? []), qualifiedName])
    }
  }
  if (readers.size === 0) return
  const lines = [...readers].map(([issue, names]) => `  ${issue} (${names.join(', ')})`)
  throw new Error(['Settings are not usable:', ...lines].join('\n'))
}
