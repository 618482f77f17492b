import * as z from 'zod/mini'

// Variables arrive as text or not at all. Every reason is a predicate that reads on after the variable's name.

type Text = string | undefined

const fallbacks = new WeakMap<object, string>()

/** Returns the default of a schema made here, as text; undefined when the variable has to be set. */
export function fallbackOf(schema: object): string | undefined {
  return fallbacks.get(schema)
}

// One schema for each, since every cold start makes them all.
function reading<Value>(read: (text: Text) => Value | Refusal, fallback?: string) {
  const schema = z.transform((text: Text, context): Exclude<Value, Refusal> => {
    const value = read(text)
    if (!(value instanceof Refusal)) return value as Exclude<Value, Refusal>
    context.issues.push({ code: 'custom', message: value.reason, input: undefined })
    return z.NEVER
  })
  if (fallback !== undefined) fallbacks.set(schema, fallback)
  return schema
}

class Refusal {
  readonly reason: string
  constructor(reason: string) {
    this.reason = reason
  }
}

/** Text that must be there, of at least `minLength` characters. */
export function requiredText({ minLength = 1 }: { minLength?: number } = {}) {
  return reading(text => {
    if (text === undefined) return new Refusal('is missing')
    return text.length < minLength ? new Refusal(`is shorter than ${minLength} characters`) : text
  })
}

/** Text that may be absent. */
export function optionalText() {
  return reading(text => text, 'none')
}

/** Text with a default. */
export function textOr(fallback: string) {
  return reading(text => text ?? fallback, fallback)
}

/** A whole number within bounds, with a default. */
export function integer({ min, max, fallback }: { min: number; max: number; fallback: number }) {
  return reading(text => (text === undefined ? fallback : readInteger(text, min, max)), String(fallback))
}

/** A whole number within bounds that may be absent. */
export function optionalInteger({ min, max }: { min: number; max: number }) {
  return reading(text => (text === undefined ? undefined : readInteger(text, min, max)), 'none')
}

/** One of a few words, in any letter case, with a default. `refusals` has reasons for words that mean something elsewhere. */
export function oneOf<const Word extends string>(words: readonly Word[], fallback: NoInfer<Word>, refusals: Readonly<Record<string, string>> = {}) {
  return reading(text => {
    if (text === undefined) return fallback
    const given = text.trim().toLowerCase()
    const reason = Object.hasOwn(refusals, given) ? refusals[given] : undefined
    return words.find(word => word === given) ?? new Refusal(reason ?? `is none of ${words.join(', ')}`)
  }, fallback)
}

const LONGEST_NAME = 63

/** The name of a PostgreSQL schema, with a default. Every statement quotes it, so letter case counts and reserved words work. */
export function schemaName(fallback: string) {
  return reading(text => {
    if (text === undefined) return fallback
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(text) || text.length > LONGEST_NAME)
      return new Refusal(`is no schema name of at most ${LONGEST_NAME} letters, digits and _, a digit not first`)
    return /^(pg_|information_schema$)/i.test(text) ? new Refusal('names a schema that belongs to PostgreSQL') : text
  })
}

function readInteger(text: string, min: number, max: number): number | Refusal {
  const value = Number(text)
  return /^\s*\d+\s*$/.test(text) && value >= min && value <= max ? value : new Refusal(`is no whole number from ${min} to ${max}`)
}
