const TEMPLATE = String.raw`\$\{[^}]*\}|\$\([^)]*\)|\{\{.*?\}\}`
const BRACKETS = String.raw`<[a-z][\w .-]*>|\[[a-z][a-z _-]*\]`

const WHOLE = new RegExp(`^(?:${TEMPLATE}|${BRACKETS})$`, 'i')
const INSIDE: readonly RegExp[] = [
  // A password with such characters has to be percent-encoded anyway.
  new RegExp(TEMPLATE),
  // A whole part of a URL: a generated password may well contain a pair of brackets.
  new RegExp(String.raw`(?:^|[:/@=])(?:${BRACKETS}|(?:your[-_ ](?:password|user|host|database)|show-password)[\w-]*)(?:$|[:/@?&])`, 'i'),
  // The name of a variable, and of a part as .env.example has it: PASSWORD@HOST.
  /(?:^|[:/@=])(?:\$[A-Z][A-Z0-9_]{2,}|PASSWORD)(?:$|[:/@?&])/,
  /^(?:%\w+%|<[^<>]*>)$/,
]

/** Whether a text still has a placeholder in it, such as `${db.DATABASE_URL}` or `<password>`. */
export function holdsPlaceholder(text: string): boolean {
  return INSIDE.some(pattern => pattern.test(text))
}

/** Whether a text that may be anything, such as a password, is a placeholder as a whole. */
export function isPlaceholder(text: string): boolean {
  return WHOLE.test(text.trim())
}
