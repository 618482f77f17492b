/** A field of a cron expression and the numbers it takes. */
export interface CronField {
  readonly name: string
  readonly least: number
  readonly most: number
}

/** The five fields in their order; a weekday of 0 is Sunday. */
export const CRON_FIELDS = [
  { name: 'minute', least: 0, most: 59 },
  { name: 'hour', least: 0, most: 23 },
  { name: 'day', least: 1, most: 31 },
  { name: 'month', least: 1, most: 12 },
  { name: 'weekday', least: 0, most: 6 },
] as const satisfies readonly CronField[]

/** The numbers that a valid field stands for, in order; a number with a step counts on to the end of the field. */
export function cronValues(text: string, { least, most }: CronField): number[] {
  const values = text.split(',').flatMap(part => {
    const [range = '*', step = '1'] = part.split('/')
    const [first = least, last] = range === '*' ? [least, most] : range.split('-').map(Number)
    const end = last ?? (part.includes('/') ? most : first)
    return Array.from({ length: Math.max(0, end - first + 1) }, (_, index) => first + index).filter(value => (value - first) % Number(step) === 0)
  })
  return [...new Set(values)].toSorted((one, other) => one - other)
}
