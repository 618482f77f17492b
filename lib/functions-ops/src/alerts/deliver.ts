import { randomUUID } from 'node:crypto'
import type { AlertSettings } from '../settings/alerts.ts'
import { asLine } from '../../../functions-runtime/src/foreign-text.ts'
import type { Alert, Sender } from './alert.ts'
import { post } from './post.ts'
import { signStandard } from './sign.ts'
import { slackMessage } from './slack.ts'

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
  const body = JSON.stringify(format === 'slack' ? slackMessage(alert, sender) : asEvent(alert, sender))
  const signed = key === undefined || format === 'slack' ? {} : signStandard({ id: `alert_${randomUUID()}`, body, sentAt: Date.now(), key })
  await post({ url, headers: { 'content-type': 'application/json', ...signed }, body }, signal)
}

// A receiver may show what it gets without a further look.
function asEvent({ state, code, summary, ...data }: Alert, { namespace }: Sender): Record<string, unknown> {
  const shown = { ...data, code: asLine(code), summary: asLine(summary), ...(namespace === undefined ? {} : { namespace: asLine(namespace) }) }
  return { type: `alert.${state}`, timestamp: new Date().toISOString(), data: shown }
}
