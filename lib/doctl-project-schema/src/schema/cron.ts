import { z } from 'zod'
import { CRON_FIELDS, type CronField, cronValues } from './cron-fields.ts'
import { missingOr, refuse, type RefusalCode } from '../refusals.ts'

/** February counts with its leap day. */
const DAYS_OF_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const

export type CronProblem = { code: RefusalCode; detail?: string }

/** A schedule of five fields. */
export const cronSchema = z
  .string({ error: missingOr('cron-missing', 'cron-type') })
  .superRefine((expression, context) => {
    const problem = cronProblem(expression)
    if (problem) context.addIssue({ code: 'custom', message: refuse(problem.code, problem.detail) })
  })
  .meta({
    description: 'When to run: minute, hour, day, month and weekday (0-6, 0 is Sunday), as in "*/5 * * * *".',
    // For editors; ranges are left to the check.
    pattern: '^\\s*([0-9*,/-]+\\s+){4}[0-9*,/-]+\\s*$',
  })

/** The first thing that keeps an expression from being a schedule the platform can run; nothing when it is one. */
export function cronProblem(expression: string): CronProblem | undefined {
  const fields = expression.trim().split(/\s+/)
  if (fields[0]?.startsWith('@')) return { code: 'cron-alias' }
  if (fields.length !== CRON_FIELDS.length) return { code: 'cron-fields' }
  for (const [index, field] of CRON_FIELDS.entries()) {
    for (const part of (fields[index] ?? '').split(',')) {
      const problem = partProblem(part, field)
      if (problem) return problem
    }
  }
  return namesADay(fields) ? undefined : { code: 'cron-never' }
}

function partProblem(part: string, field: CronField): CronProblem | undefined {
  if (/^[A-Za-z]{3}(-[A-Za-z]{3})?$/.test(part)) return { code: 'cron-name', detail: field.name }
  const match = /^(?:\*|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(part)
  if (!match) return { code: 'cron-syntax', detail: field.name }
  const [first, last, step] = match.slice(1).map(digits => (digits === undefined ? undefined : Number(digits)))
  for (const number of [first, last]) {
    if (number !== undefined && (number < field.least || number > field.most))
      return { code: 'cron-range', detail: `${field.name} (${field.least}-${field.most})` }
  }
  if (first !== undefined && last !== undefined && last < first) return { code: 'cron-order', detail: field.name }
  if (step !== undefined && (step < 1 || step > field.most)) return { code: 'cron-step', detail: field.name }
  return undefined
}

/** A weekday fires whatever the day of the month says; without one, some month must have one of the days. */
function namesADay([, , days = '*', months = '*', weekdays = '*']: readonly string[]): boolean {
  if (!weekdays.startsWith('*')) return true
  const earliest = Math.min(...days.split(',').map(startOf))
  return cronValues(months, CRON_FIELDS[3]).some(month => earliest <= (DAYS_OF_MONTH[month - 1] ?? 0))
}

function startOf(part: string): number {
  return part.startsWith('*') ? 1 : Number.parseInt(part, 10)
}
