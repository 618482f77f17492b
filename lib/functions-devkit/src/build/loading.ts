import { type BareLoad } from './bare-process.ts'

/** Characters of what a bundle printed that are repeated. */
const LONGEST_QUOTE = 200

/** What is wrong with how a bundle loads, in words that say what to do about it. */
export function loadingProblems({ report, printed, exitCode }: BareLoad): string[] {
  if (report === undefined) {
    return [`ends the process while it is loaded (exit status ${exitCode ?? 'unknown'})${quoted(printed)}: do at the first call what is done there`]
  }
  if (report.outcome === 'failed') {
    return [
      `cannot be loaded with nothing beside it and an empty environment (${firstLine(report.error)}): read variables at the first call, and let esbuild bundle what is imported`,
    ]
  }
  const problems: string[] = []
  const others = report.exported.filter(name => name !== 'main')
  if (!report.exported.includes('main')) problems.push('exports no main: index.ts needs `export const main = defineFunction({ … })`')
  else if (!report.isFunction) problems.push('exports a main that is no function: use defineFunction')
  else if (!report.importable) problems.push('exports a main that import() does not find: export it by name from index.ts')
  if (others.length > 0) problems.push(`exports ${others.join(', ')} beside main: keep what is shared in lib/, and export main alone`)
  if (printed !== '') problems.push(`prints while it is loaded${quoted(printed)}: write to the log within a call`)
  if (report.left.length > 0)
    problems.push(`leaves ${report.left.join(', ')} behind after loading: open it at the first call, and close it in shutdown`)
  else if (exitCode === undefined) problems.push('keeps its process from ending after loading: open nothing before the first call')
  else if (exitCode !== 0)
    problems.push(`makes its process end with exit status ${exitCode} after loading${quoted(printed)}: do at the first call what is done there`)
  return problems
}

function quoted(printed: string): string {
  return printed === '' ? '' : ` (${firstLine(printed)})`
}

/** Of an uncaught error Node prints the place and the code first, and of a bundle that is one very long line. */
function firstLine(text: string): string {
  const lines = text.trim().split('\n')
  const line = lines.find(one => /^\w*Error\b/.test(one)) ?? lines[0] ?? ''
  return line.length > LONGEST_QUOTE ? `${line.slice(0, LONGEST_QUOTE)}…` : line
}
