import { atPointer } from '../verify/place.ts'

/** A number with its digits as they stand in the text. */
class WrittenNumber {
  readonly digits: string
  constructor(digits: string) {
    this.digits = digits
  }
}

type Reviver = (key: string, value: unknown, context?: { readonly source?: string }) => unknown

/**
 * Whether the number at a JSON Pointer is a whole one that was read without loss. `JSON.parse` rounds to 53 bits, so a
 * number that looks whole may have been another one: only its digits in the text can tell.
 */
export function isExactInteger(text: string, pointer: string): boolean {
  const keepDigits: Reviver = (_key, value, context) => (typeof value === 'number' ? new WrittenNumber(context?.source ?? String(value)) : value)
  const found = atPointer(JSON.parse(text, keepDigits), pointer)
  return found instanceof WrittenNumber && isSafe(found.digits)
}

/** Whether `digits`, in the notation of JSON, are a whole number that a double holds. */
function isSafe(digits: string): boolean {
  const value = Number(digits)
  if (!Number.isSafeInteger(value)) return false
  const [, whole = '', fraction = '', power = '0'] = /^-?(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(digits) ?? []
  // Both without the zeros that say nothing: 1200, 1.2e3 and 1200.0 are the same number.
  const significant = `${whole}${fraction}`.replace(/^0+/, '')
  const trimmed = significant.replace(/0+$/, '')
  if (trimmed === '') return true
  const zeros = Number(power) - fraction.length + significant.length - trimmed.length
  return zeros >= 0 && `${trimmed}${'0'.repeat(zeros)}` === String(Math.abs(value))
}
