import { HEADER_BYTES, type Message } from './messages.ts'

/**
 * Tells which messages of a client begin a statement, and its text. Those are Query, Parse, and the Bind of a statement
 * that was parsed in an earlier flight; a Bind right behind its Parse belongs to it. A Query is one statement even if
 * its text holds several.
 */
export class StatementReader {
  readonly #texts = new Map<string, string>()
  /** Parsed since the last Sync and not bound yet. */
  readonly #fresh = new Set<string>()

  /** The text of the statement that begins with this message, or undefined when none does. */
  read({ type, bytes }: Message): string | undefined {
    switch (type) {
      case 'Q':
        return textAt(bytes, HEADER_BYTES).text
      case 'P': {
        const name = textAt(bytes, HEADER_BYTES)
        const { text } = textAt(bytes, name.end)
        this.#texts.set(name.text, text)
        this.#fresh.add(name.text)
        return text
      }
      case 'B': {
        const portal = textAt(bytes, HEADER_BYTES)
        const { text: name } = textAt(bytes, portal.end)
        return this.#fresh.delete(name) ? undefined : (this.#texts.get(name) ?? '')
      }
      case 'S':
        this.#fresh.clear()
        return undefined
      default:
        return undefined
    }
  }
}

function textAt(bytes: Buffer, start: number): { text: string; end: number } {
  const terminator = bytes.indexOf(0, start)
  const end = terminator === -1 ? bytes.length : terminator
  return { text: bytes.toString('utf8', start, end), end: end + 1 }
}
