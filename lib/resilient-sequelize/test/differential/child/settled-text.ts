// What differs from run to run, whichever subject ran.
const UUID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi
/** Cases write their own ids with these zeros, so that they stay as they are. */
const WRITTEN = /^0{8}-/
const INSTANT = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?: ?(?:Z|[+-]\d\d(?::?\d\d)?))?/g
const ELAPSED = /Elapsed time: \d+ms/g
/** The name of a function that Sequelize makes for `findOrCreate`. */
const FUNCTION = /\$func_[0-9a-f]{32}\$/g
/** An instant this near to the run, in ms, is the run's own. */
const NEAR_MS = 600_000

/** Returns the text with names in place of what no two runs share: random ids, the present time, the database's name. */
export function settledText(text: string, database: string): string {
  const ids = new Map<string, string>()
  return text
    .replaceAll(database, '<database>')
    .replaceAll(ELAPSED, 'Elapsed time: <n>ms')
    .replaceAll(FUNCTION, '<function>')
    .replaceAll(INSTANT, instant => (isNear(instant) ? '<now>' : instant))
    .replaceAll(UUID, id => {
      if (WRITTEN.test(id)) return id
      const known = ids.get(id) ?? `<id ${ids.size + 1}>`
      ids.set(id, known)
      return known
    })
}

function isNear(instant: string): boolean {
  const [, day = '', time = '', zone = ''] = /^(\S{10})[T ](\d\d:\d\d:\d\d)\S*?\s?(Z|[+-]\d\d(?::?\d\d)?)?$/.exec(instant) ?? []
  const [, sign = '+', hours = '00', minutes = '00'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? []
  const at = Date.parse(`${day}T${time}${sign}${hours}:${minutes}`)
  return Math.abs(at - Date.now()) < NEAR_MS
}
