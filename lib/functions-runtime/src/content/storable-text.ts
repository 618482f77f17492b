import * as z from 'zod/mini'

/** Text that PostgreSQL can hold: no NUL, and nothing that UTF-8 cannot write, such as a lone surrogate. */
export function storableText({ maxLength }: { maxLength: number }) {
  return z.string().check(z.minLength(1), z.maxLength(maxLength), z.refine(isStorable, 'Expected text without NUL and lone surrogates'))
}

/** A name that somebody else gives to a thing. */
export const externalIdSchema = storableText({ maxLength: 200 })

/** Whether PostgreSQL can hold a text as it is. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}
