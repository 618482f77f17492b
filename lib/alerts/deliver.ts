import { randomUUID } from 'node:crypto'
import type { AlertSettings } from '../config/settings/alerts.ts'
import type { Alert } from './alert.ts'
import { post } from './post.ts'
import { signStandard } from './sign.ts'

/** Who says it: the functions of one namespace on the platform, if that is known. */
export interface Sender {
  readonly namespace: string | undefined
}

/**
 * Sends one alert in the format that was chosen.
 * @throws ApplicationError `not-delivered`
 */
export async function deliverAlert(
  alert: Alert,
  { settings, sender }: { settings: AlertSettings; sender: Sender },
  signal: AbortSignal,
): Promise<void> {
  const { url, format, key } = settings
  const body = JSON.stringify(format === 'slack' ? { text: inWords(alert, sender) } : asEvent(alert, sender))
  const signed = key === undefined || format === 'slack' ? {} : signStandard({ id: `alert_${randomUUID()}`, body, sentAt: Date.now(), key })
  await post({ url, headers: { 'content-type': 'application/json', ...signed }, body }, signal)
}

function asEvent({ state, ...data }: Alert, { namespace }: Sender): Record<string, unknown> {
  return { type: `alert.${state}`, timestamp: new Date().toISOString(), data: { ...data, ...(namespace === undefined ? {} : { namespace }) } }
}

// Slack reads these three as markup.
const MARKUP: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

function inWords({ state, code, severity, summary, observed, threshold }: Alert, { namespace }: Sender): string {
  const figures = observed === undefined ? '' : ` (${observed}, threshold ${threshold})`
  const head = state === 'raised' ? `[${severity}] ${code}` : `[recovered] ${code}`
  const text = `${head}: ${summary}${figures}${namespace === undefined ? '' : ` in ${namespace}`}`
  return text.replace(/[&<>]/g, character => MARKUP[character] ?? character)
}
