/**
 * Returns text that tells conditions of Sequelize from all others, whatever the order of their names. Every `Date` counts as the
 * same: it may come of the clock, and change from one page to the next.
 */
export function textOfConditions(conditions: unknown): string {
  return JSON.stringify(formOf(conditions, []))
}

function formOf(value: unknown, above: readonly object[]): unknown {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
  // A number and a bigint are the same to the database.
  if (typeof value === 'number' || typeof value === 'bigint') return ['number', String(value)]
  if (typeof value === 'symbol') return ['symbol', value.description]
  if (typeof value !== 'object') return [typeof value]
  if (value instanceof Date) return ['date']
  if (value instanceof Uint8Array) return ['bytes', Buffer.from(value).toString('base64')]
  if (above.includes(value)) return ['circle']
  const within = [...above, value]
  if (Array.isArray(value)) return ['list', ...value.map(one => formOf(one, within))]
  const fields = Reflect.ownKeys(value).filter(name => Object.prototype.propertyIsEnumerable.call(value, name))
  // A literal, a function or a column of Sequelize is told by its fields.
  const forms = fields.map(name => [formOf(name, within), formOf(value[name as keyof typeof value], within)])
  return ['fields', ...forms.map(form => JSON.stringify(form)).sort()]
}
