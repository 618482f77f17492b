import { asLine, escapedCharacter } from '../../../functions-runtime/src/foreign-text.ts'
import type { Alert, Sender } from './alert.ts'

// Slack decodes these three. Everything else that means something there, or in a chat that takes Slack's format (Markdown),
// has no escape: it is written as its number.
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }
// Bold, struck, code and links; italics, unless within a word; mentions; addresses and emoji.
const MARKUP = /[*~`[\]|]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])|@(?=[\p{L}\p{N}])|:(?=\/\/|[\w+'-]+:)|(?<=mailto|tel):|(?<=www)\./giu

/** Returns text that others wrote as one line that Slack shows as it is. */
export function slackText(text: string, maxLength?: number): string {
  const line = asLine(text, maxLength === undefined ? {} : { maxLength })
  return line.replace(MARKUP, escapedCharacter).replace(/[&<>]/g, character => ENTITIES[character] ?? character)
}

/** Returns the body of a message for Slack. */
export function slackMessage({ state, code, severity, summary, observed, threshold }: Alert, { namespace }: Sender): Record<string, unknown> {
  const figures = observed === undefined ? '' : ` (${observed}, threshold ${threshold})`
  const head = state === 'raised' ? `[${severity}] ${slackText(code)}` : `[recovered] ${slackText(code)}`
  const text = `${head}: ${slackText(summary)}${figures}${namespace === undefined ? '' : ` in ${slackText(namespace)}`}`
  // Slack then looks for no markup, names or addresses in it, and fetches none.
  return { text, mrkdwn: false, parse: 'none', link_names: false, unfurl_links: false, unfurl_media: false }
}
