import { styleText } from 'node:util'
import { type CheckResult } from './check-project.ts'
import { lineOf, type Problem } from './problem.ts'

/** What a check found; its problems may be those of another check as well. */
export interface ReportedResult extends Pick<CheckResult, 'warnings'> {
  readonly problems: readonly Omit<Problem, 'code'>[]
}

/** What a check found, as text: a line for each problem and each warning, then how many there are. */
export function reportOf({ problems, warnings }: ReportedResult, { colour = false }: { colour?: boolean } = {}): string {
  // Whether there are colours was decided by whoever knows the stream.
  const style = (format: 'red' | 'yellow' | 'green', text: string) => (colour ? styleText(format, text, { validateStream: false }) : text)
  return [
    ...problems.map(problem => `${style('red', 'problem')} ${lineOf(problem)}\n`),
    ...warnings.map(warning => `${style('yellow', 'warning')} ${lineOf(warning)} (${warning.name})\n`),
    `${style(problems.length > 0 ? 'red' : 'green', `${counted(problems.length, 'problem')}, ${counted(warnings.length, 'warning')}`)}\n`,
  ].join('')
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
