/** The type itself, lower case, without its parameters: `application/json` of `Application/JSON; charset=utf-8`. */
export function essenceOf(contentType: string): string {
  return (contentType.split(';')[0] ?? '').trim().toLowerCase()
}

/** Whether the platform takes this type for JSON. */
export function isJson(contentType: string): boolean {
  const essence = essenceOf(contentType)
  return essence === 'application/json' || essence.endsWith('+json')
}

const TEXT_APPLICATIONS = new Set(['javascript', 'rtf', 'x-www-form-urlencoded', 'xml', 'x-yaml', 'yaml'].map(name => `application/${name}`))

/**
 * Whether the platform takes this type for bytes rather than for characters. As in OpenWhisk, a type that it
 * does not know is binary unless it names its character set; so is a body without any type.
 */
export function isBinary(contentType: string | undefined): boolean {
  if (contentType === undefined) return true
  const essence = essenceOf(contentType)
  if (essence.startsWith('multipart/')) return true
  if (essence.startsWith('text/') || isJson(essence) || TEXT_APPLICATIONS.has(essence)) return false
  if (essence.startsWith('application/') && essence.endsWith('+xml')) return false
  return !/;\s*charset\s*=/i.test(contentType)
}

/** Whether the platform takes a text for base64. */
export function isBase64(text: string): boolean {
  const trimmed = text.trim()
  return trimmed.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(trimmed)
}
