/**
 * Where a delivery holds something: in a header (`or` another, where a sender has two names for it), or in its body at
 * a JSON Pointer (RFC 6901).
 */
export type Place = { readonly header: string; readonly or?: string } | { readonly pointer: string }

/** What is at a JSON Pointer; `undefined` when nothing is. */
export function atPointer(value: unknown, pointer: string): unknown {
  let found = value
  for (const step of pointer.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined
    found = (found as Readonly<Record<string, unknown>>)[key]
  }
  return found
}

/** What is at a place of a delivery. */
export function atPlace({ headers, body }: { headers: Readonly<Record<string, string>>; body: unknown }, place: Place): unknown {
  if ('pointer' in place) return atPointer(body, place.pointer)
  return headers[place.header.toLowerCase()] || (place.or === undefined ? undefined : headers[place.or.toLowerCase()])
}
