const MINUTE_MS = 60_000
// How far a name may be ahead of the clock, in minutes.
const MOST_AHEAD = 60

/**
 * Returns the time in UTC to the minute, such as `2027-01-31-0930`, for the name of a migration. It is a later one while the name would
 * stand before one of `names`: migrations are applied in order.
 */
export function stampBehind(names: readonly string[], slug: string, now: Date): string {
  const stamps = Array.from({ length: MOST_AHEAD + 1 }, (_, minutes) => stampOf(new Date(now.getTime() + minutes * MINUTE_MS)))
  return stamps.find(stamp => names.every(name => name < `${stamp}-${slug}`)) ?? stampOf(now)
}

function stampOf(date: Date): string {
  const iso = date.toISOString()
  return `${iso.slice(0, 10)}-${iso.slice(11, 13)}${iso.slice(14, 16)}`
}
