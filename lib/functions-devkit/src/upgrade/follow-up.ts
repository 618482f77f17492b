import { isDeepStrictEqual } from 'node:util'
import type { Plan } from './plan.ts'
import { textOf, type TreeFile } from './tree.ts'

/** What remains to be done after the files are written. */
export interface FollowUp {
  /** Commands that can run at once. */
  readonly now: readonly string[]
  /** What is left to a person, in its order. */
  readonly steps: readonly string[]
}

export interface FollowUpOptions {
  readonly plan: Plan
  readonly changes: ReadonlyMap<string, TreeFile | undefined>
  /** What a path held before. */
  readonly before: (path: string) => TreeFile | undefined
  /** Scripts of package.json after the upgrade. */
  readonly scripts: Readonly<Record<string, string>>
}

// What decides about the packages that are installed.
const INSTALLED_BY = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies', 'workspaces', 'overrides', 'allowScripts', 'bin']

/** Returns what follows. Nothing runs while a conflict is open or a package is missing, since it would fail for that alone. */
export function followUpOf({ plan, changes, before, scripts }: FollowUpOptions): FollowUp {
  const hasConflicts = [...plan.values()].some(({ outcome }) => outcome === 'conflict')
  const commands = new Set([...plan.values()].flatMap(decision => (decision.outcome === 'written' ? [decision.command] : [])))
  const installs = commands.delete('npm install') || [...changes].some(([path, file]) => changesPackages(path, before(path), file))
  if ('sync' in scripts) commands.delete('npm run sync')
  const checks = [...('sync' in scripts ? ['npm run sync'] : []), ...('migrate' in scripts ? ['npm run migrate -- check'] : [])]
  const isLater = hasConflicts || installs
  return {
    now: isLater ? [] : checks,
    steps: [
      ...(hasConflicts ? ['decide about the conflicts above, and take out the marks'] : []),
      ...(installs ? ['npm install'] : []),
      ...(isLater ? checks : []),
      ...commands,
      ...('format' in scripts && wroteJson(plan) ? ['npm run format'] : []),
      'npm test',
    ],
  }
}

function changesPackages(path: string, before: TreeFile | undefined, after: TreeFile | undefined): boolean {
  if (path === 'package-lock.json') return true
  if (!/^(?:package|lib\/[^/]+\/package)\.json$/.test(path)) return false
  const [one, other] = [before, after].map(file => JSON.parse(textOf(file) ?? '{}') as Record<string, unknown>)
  return INSTALLED_BY.some(field => !isDeepStrictEqual(one?.[field], other?.[field]))
}

// The layout of what is merged by key is not prettier's.
function wroteJson(plan: Plan): boolean {
  return [...plan].some(([path, { outcome }]) => path.endsWith('.json') && (outcome === 'merged' || outcome === 'conflict'))
}
