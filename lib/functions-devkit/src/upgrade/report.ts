import type { Decision } from './decide.ts'
import type { PreparedUpgrade } from './prepare.ts'
import { isOlder } from './is-older.ts'
import { isOfFramework } from './record.ts'

type Outcome = Decision['outcome']

// Paths in a list; the rest is a number.
const LONGEST_LIST = 40

/** Returns the lines that say what an upgrade does. */
export function describeUpgrade({ source, from, to, released, plan, rules }: PreparedUpgrade): string[] {
  const withOutcome = (...outcomes: Outcome[]) => [...plan].filter(([, { outcome }]) => outcomes.includes(outcome))
  const isFramework = ([path]: readonly [string, Decision]) => isOfFramework(rules, path)
  const changed = withOutcome('added', 'updated', 'deleted', 'merged')
  const framework = changed.filter(isFramework)
  const notes = withOutcome('merged').flatMap(([, decision]) => ('notes' in decision ? decision.notes : []))
  return [
    `${from} → ${to}, from ${source}`,
    ...(isOlder(to, from) ? [`This is a downgrade: ${to} is older than ${from}.`] : []),
    ...(to.replace(/^v/, '') === released ? [] : [`The source calls itself ${released}; it is recorded as ${to}.`]),
    ...section('The framework', framework.length === 0 ? [] : [counted(framework)]),
    ...section(
      'Your part',
      changed.filter(entry => !isFramework(entry)).map(([path, { outcome }]) => `${outcome.padEnd(7)} ${path}`),
    ),
    ...section(
      'Left to a command',
      withOutcome('written').map(([path, decision]) => `${path}: ${'command' in decision ? decision.command : ''}`),
    ),
    ...section(
      'Deleted here, changed or added by the new version: stays away',
      shortened([...withOutcome('absent').map(([path]) => path), ...notes]),
    ),
    ...section(
      'Files of the framework with an edit of yours, unchanged by the new version: yours stays',
      withOutcome('edited').map(([path]) => path),
    ),
    ...section(
      'Conflicts',
      withOutcome('conflict').map(([path, decision]) => `${path}: ${'reason' in decision ? decision.reason : ''}`),
    ),
  ]
}

function counted(entries: readonly (readonly [string, Decision])[]): string {
  const outcomes = [...new Set(entries.map(([, { outcome }]) => outcome))].sort()
  return outcomes
    .map(outcome => {
      const { length } = entries.filter(([, decision]) => decision.outcome === outcome)
      return `${length} ${length === 1 ? 'file' : 'files'} ${outcome}`
    })
    .join(', ')
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map(line => `  ${line}`)]
}

function shortened(paths: readonly string[]): string[] {
  if (paths.length <= LONGEST_LIST) return [...paths]
  return [...paths.slice(0, LONGEST_LIST), `and ${paths.length - LONGEST_LIST} more`]
}
