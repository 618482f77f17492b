/** A private member of a library: where it is looked for, its name, and the type that it must have. */
export interface Member {
  readonly of: string
  readonly name: string
  readonly type: 'function' | 'object' | 'boolean' | 'string' | 'number' | 'any'
}

/** The members that are not there or have another type, as `place.name`. */
export function missingMembers(members: readonly Member[], places: Readonly<Record<string, unknown>>): string[] {
  return members.filter(member => !isThere(member, places[member.of])).map(({ of, name }) => `${of}.${name}`)
}

function isThere({ name, type }: Member, place: unknown): boolean {
  if ((typeof place !== 'object' && typeof place !== 'function') || place === null || !(name in place)) return false
  const value = (place as Record<string, unknown>)[name]
  return type === 'any' || (typeof value === type && value !== null)
}
