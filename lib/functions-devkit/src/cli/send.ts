import { readableJson } from '../../../functions-runtime/src/foreign-text.ts'
import { application } from '../application.ts'
import { inWords, report } from '../server/report.ts'
import { requireRunningServer } from '../server/running-server.ts'
import { localWebhookSecrets } from '../server/webhook-secrets.ts'
import { command } from './options/send.ts'
import { describeSent, sendEvents } from './send-events.ts'

// `npm run send`: signed events for the server that `npm start` runs.

const { sources: table, samples } = application
const options = command.readOrExit()

try {
  process.exitCode = (await send()) ? 0 : 1
} catch (error) {
  report(inWords(error))
  process.exitCode = 2
}

async function send(): Promise<boolean> {
  const definition = Object.hasOwn(table, options.source) ? table[options.source] : undefined
  if (definition === undefined) throw new Error(`There is no source ${options.source}; there are ${Object.keys(table).join(', ')}`)
  const { address, secrets } = requireRunningServer()
  const secret = localWebhookSecrets(secrets.webhookSecret)[definition.secrets]
  if (secret === undefined) throw new Error(`There is no secret in ${definition.secrets}`)
  const tools = { address, definition, secret, eventData: samples.eventData }
  const answers = await sendEvents(options, { ...tools, answered: one => (options.json ? undefined : console.log(describeSent(one))) })
  const asExpected = answers.every(one => one.asExpected)
  if (options.json) console.log(readableJson({ asExpected, answers }))
  return asExpected
}
