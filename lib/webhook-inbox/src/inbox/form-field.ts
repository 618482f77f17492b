import { essenceOf } from '../../../functions-runtime/src/edge/media-type.ts'

/** Whether a content type is that of a form in URL encoding. */
export function isForm(contentType: string | undefined): boolean {
  return essenceOf(contentType ?? '') === 'application/x-www-form-urlencoded'
}

/** Returns the bytes of the first field of this name in a form; none when the form has no such field. */
export function formField(form: Buffer, name: string): Buffer {
  for (const field of form.toString('latin1').split('&')) {
    const [key = '', ...rest] = field.split('=')
    if (decode(key).toString() === name) return decode(rest.join('='))
  }
  return Buffer.alloc(0)
}

// To bytes and not to text: the reader of the field refuses bytes that are no UTF-8, and URLSearchParams repairs them.
function decode(text: string): Buffer {
  const bytes = text.replaceAll('+', ' ').replace(/%([0-9a-f]{2})/gi, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1')
}
