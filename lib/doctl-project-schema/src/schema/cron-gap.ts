import { CRON_FIELDS, cronValues } from './cron-fields.ts'

const MS_PER_MINUTE = 60_000
const MINUTES_PER_DAY = 1440
const MS_PER_DAY = MINUTES_PER_DAY * MS_PER_MINUTE

/** Days and weekdays come together in the same way again after 28 years, as long as every fourth is a leap year. */
const CALENDAR_YEARS = 28
const CALENDAR_START = 2000

/**
 * The shortest time between two firings of a valid cron expression, in milliseconds (UTC); Infinity when it
 * fires no second time within 28 years. As in Vixie cron, day and weekday are alternatives when both are
 * restricted, and have to agree when one of them begins with a star.
 */
export function shortestGapMs(expression: string): number {
  const [minutes = '*', hours = '*', days = '*', months = '*', weekdays = '*'] = expression.trim().split(/\s+/)
  const [minuteField, hourField, dayField, monthField, weekdayField] = CRON_FIELDS
  const times = cronValues(hours, hourField).flatMap(hour => cronValues(minutes, minuteField).map(minute => hour * 60 + minute))
  const matchesDay = new Set(cronValues(days, dayField))
  const matchesMonth = new Set(cronValues(months, monthField))
  const matchesWeekday = new Set(cronValues(weekdays, weekdayField))
  const alternatives = !days.startsWith('*') && !weekdays.startsWith('*')

  const first = times[0] ?? 0
  const last = times.at(-1) ?? 0
  let shortest = Infinity
  times.forEach((time, index) => {
    if (index > 0) shortest = Math.min(shortest, time - (times[index - 1] ?? 0))
  })
  let previousDay: number | undefined
  for (
    let day = Date.UTC(CALENDAR_START, 0, 1) / MS_PER_DAY, end = Date.UTC(CALENDAR_START + CALENDAR_YEARS, 1, 1) / MS_PER_DAY;
    day < end;
    day += 1
  ) {
    const date = new Date(day * MS_PER_DAY)
    const byDay = matchesDay.has(date.getUTCDate())
    const byWeekday = matchesWeekday.has(date.getUTCDay())
    if (!matchesMonth.has(date.getUTCMonth() + 1) || !(alternatives ? byDay || byWeekday : byDay && byWeekday)) continue
    if (previousDay !== undefined) shortest = Math.min(shortest, (day - previousDay) * MINUTES_PER_DAY - last + first)
    previousDay = day
  }
  return shortest * MS_PER_MINUTE
}
