/** The values that a statement names, in the order of their numbers. */
export interface Numbered {
  readonly text: string
  readonly names: readonly string[]
}

// PostgreSQL's lexical structure: what begins a string, a quoted name, a comment or a dollar quote, or is a word. A dollar
// sign within a word belongs to it.
const TOKEN =
  /[eE]'(?:[^'\\]|\\[^]|'')*'?|'(?:[^']|'')*'?|"[^"]*"?|--[^\n]*|\/\*|\$(?:[a-zA-Z_\x80-\uffff][\w\x80-\uffff]*)?\$|\$\w+|[a-zA-Z_\x80-\uffff][\w$\x80-\uffff]*/g
const COMMENT_EDGE = /\/\*|\*\//g

/**
 * Replaces each `$name` of a name in `declared` by the number of its value, except within strings, quoted names, dollar
 * quotes and comments.
 * @throws TypeError for a name that is not declared: the server would only call it a syntax error.
 */
export function numberPlaceholders(text: string, declared: ReadonlySet<string>): Numbered {
  const names: string[] = []
  const tokens = new RegExp(TOKEN)
  let numbered = ''
  let done = 0
  for (let found = tokens.exec(text); found !== null; found = tokens.exec(text)) {
    const [token] = found
    if (token === '/*') tokens.lastIndex = endOfComment(text, tokens.lastIndex)
    else if (/^\$.*\$$/.test(token)) tokens.lastIndex = endOfQuote(text, token, tokens.lastIndex)
    else if (token.startsWith('$')) {
      const name = token.slice(1)
      if (!declared.has(name)) {
        if (/^\d+$/.test(name)) continue
        throw new TypeError(`The statement has "$${name}", and no value of this name was given.`)
      }
      if (!names.includes(name)) names.push(name)
      numbered += `${text.slice(done, found.index)}$${names.indexOf(name) + 1}`
      done = tokens.lastIndex
    }
  }
  return { text: numbered + text.slice(done), names }
}

// Comments nest.
function endOfComment(text: string, start: number): number {
  const edges = new RegExp(COMMENT_EDGE)
  edges.lastIndex = start
  let depth = 1
  while (depth > 0) {
    const edge = edges.exec(text)
    if (edge === null) return text.length
    depth += edge[0] === '/*' ? 1 : -1
  }
  return edges.lastIndex
}

function endOfQuote(text: string, tag: string, start: number): number {
  const end = text.indexOf(tag, start)
  return end === -1 ? text.length : end + tag.length
}
