import { SignatureError } from '../signature-error.ts'

const TOLERANCE_MS = 5 * 60 * 1000
// Before the year 5138, in seconds and in ms.
const DIGITS = { s: 11, ms: 14 }
// From the year 5138 on in seconds, and since 1973 in ms.
const DIGITS_OF_MS = 12

/**
 * Reads a time stamp as epoch ms. `either` takes 12 digits and more for ms and fewer for seconds. Digits alone count: no sign,
 * no blank, no leading zero, nothing behind them.
 * @throws SignatureError `timestamp-malformed`, or `timestamp-repeated` when a header that came twice was joined.
 */
export function readTimestamp(text: string, unit: 's' | 'ms' | 'either'): number {
  if (text.includes(',')) throw new SignatureError('timestamp-repeated')
  if (!/^(?:0|[1-9]\d*)$/.test(text) || text.length > DIGITS[unit === 's' ? 's' : 'ms']) throw new SignatureError('timestamp-malformed')
  const isMs = unit === 'either' ? text.length >= DIGITS_OF_MS : unit === 'ms'
  return Number(text) * (isMs ? 1 : 1000)
}

/**
 * Refuses what was signed too long ago or in the future. To be called only after the signature was found good: until
 * then the time stamp is anybody's, and a forger would learn that nothing else is wrong.
 * @throws SignatureError `timestamp-too-old`, `timestamp-too-new`
 */
export function checkAge(signedAt: number, { toleranceMs = TOLERANCE_MS, now = Date.now }: { toleranceMs?: number; now?: () => number }): void {
  const ageMs = now() - signedAt
  if (ageMs > toleranceMs) throw new SignatureError('timestamp-too-old')
  if (ageMs < -toleranceMs) throw new SignatureError('timestamp-too-new')
}
