import { z } from 'zod'
import { refuse, type RefusalCode } from '../refusals.ts'

/** A map of names to JSON values. YAML knows more than JSON does: dates, binaries, `.nan`, `.inf`. */
export function jsonMap(wrongType: RefusalCode) {
  return z.record(z.string(), z.unknown(), { error: refuse(wrongType) }).superRefine((map, context) => {
    const path = pathOfForeignValue(map)
    if (path) context.addIssue({ code: 'custom', message: refuse('json-value'), path })
  })
}

function pathOfForeignValue(root: unknown): (string | number)[] | undefined {
  const seen = new Set<object>()
  function visit(value: unknown): (string | number)[] | undefined {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined
    if (typeof value === 'number') return Number.isFinite(value) ? undefined : []
    if (typeof value !== 'object' || !isPlain(value)) return []
    if (seen.has(value)) return undefined
    seen.add(value)
    for (const [key, child] of Object.entries(value)) {
      const path = visit(child)
      if (path) return [Array.isArray(value) ? Number(key) : key, ...path]
    }
    return undefined
  }
  return visit(root)
}

function isPlain(value: object): boolean {
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype
}
