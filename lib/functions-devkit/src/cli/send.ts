import { dataFolderOf } from '../server/data-folder.ts'
import { lockHolder } from '../server/lock.ts'
import { inWords, report } from '../server/report.ts'
import { keepSecrets } from '../server/secrets.ts'
import { localWebhookSecrets } from '../server/webhook-secrets.ts'
import { application } from '../application.ts'
import { sendEvents } from './send-events.ts'
import { readSendOptions, type SendOptions } from './send-options.ts'
import { APPLICATION_FOLDER } from '../application-folder.ts'

// `npm run send`: signed events for the server that `npm start` runs.

const { sources: table, samples } = application

try {
  process.exitCode = (await send(readSendOptions(process.argv.slice(2)))) ? 0 : 1
} catch (error) {
  report(inWords(error))
  process.exitCode = 2
}

async function send(options: SendOptions): Promise<boolean> {
  const definition = Object.hasOwn(table, options.source) ? table[options.source] : undefined
  if (definition === undefined) throw new Error(`There is no source ${options.source}; there are ${Object.keys(table).join(', ')}`)
  const { folder } = dataFolderOf(APPLICATION_FOLDER, process.env.LOCAL_DATA_FOLDER)
  const address = lockHolder({ folder })?.address
  if (address === undefined) throw new Error('No local server is running on this checkout: npm start starts one')
  const secret = localWebhookSecrets(keepSecrets(folder).webhookSecret)[definition.secrets]
  if (secret === undefined) throw new Error(`There is no secret in ${definition.secrets}`)
  return sendEvents(options, { address, definition, secret, print: line => console.log(line), eventData: samples.eventData })
}
