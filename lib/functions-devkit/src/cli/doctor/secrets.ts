import { readSettings, SettingsError, type Environment } from '../../../../functions-runtime/src/settings/settings.ts'
import { payloadSettings } from '../../../../webhook-inbox/src/settings/payload.ts'
import { application } from '../../application.ts'
import { findingsOf, type Finding } from './finding.ts'

const secrets = findingsOf('secrets')
const RANDOM = 'openssl rand -base64 32'
const SHORTEST_PASSWORD = 12

/** How strong secrets are; what is no secret at all, such as a sample, the settings refuse. */
export function checkSecrets(variables: Environment, { password }: { readonly password: string | undefined }): Finding[] {
  let read
  try {
    read = readSettings({ sources: application.sourceSettings, keys: payloadSettings }, variables)
  } catch (error) {
    // The check of the settings tells.
    if (error instanceof SettingsError) return []
    throw error
  }
  const { sources, keys } = read
  const weak = sources.weakSecrets.map(({ variable }) =>
    secrets.warn(`${variable} is short: it may be guessed`, `agree on a longer one with the sender: ${RANDOM}`),
  )
  const bySecret = Map.groupBy(
    Object.entries(variables).filter(([name, value]) => name.startsWith('WEBHOOK_SECRET_') && value !== 'none'),
    ([, value]) => value,
  )
  const shared = [...bySecret.values()]
    .filter(entries => entries.length > 1)
    .map(entries =>
      secrets.warn(
        `${entries.map(([name]) => name).join(' and ')} are the same: one sender could sign for the other`,
        `give each its own: ${RANDOM}`,
      ),
    )
  const findings = [
    ...weak,
    ...shared,
    ...(keys.current === undefined
      ? [secrets.warn('PAYLOAD_KEY is none: payloads are stored unencrypted', 'npm run secrets prints a value for PAYLOAD_KEY')]
      : []),
    ...(password !== undefined && password.length < SHORTEST_PASSWORD
      ? [secrets.warn('the password of the database is short: it may be guessed', 'set a longer one on the database’s page, and in .env')]
      : []),
  ]
  return findings.length > 0 ? findings : [secrets.ok('long enough, and none is a sample')]
}
