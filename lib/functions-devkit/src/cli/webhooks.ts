import { application } from '../application.ts'
import { parseArgs } from 'node:util'
import { readSettings, SettingsError } from '../../../functions-runtime/src/settings/settings.ts'
import { bufferSettings } from '../../../webhook-inbox/src/settings/buffer.ts'
import { databaseSettings } from '../../../functions-runtime/src/database/settings.ts'
import { payloadSettings } from '../../../webhook-inbox/src/settings/payload.ts'
import { prepareDatabase } from '../../../functions-runtime/src/database/connect.ts'
import { ContentError } from '../../../functions-runtime/src/edge/http-errors.ts'
import { asLine, readableJson } from '../../../functions-runtime/src/foreign-text.ts'
import { CodedError } from '../../../invocation/src/errors.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { createLogger } from '../../../functions-runtime/src/telemetry/logger.ts'
import { manageWebhooks } from '../../../webhook-inbox/src/inbox/manage.ts'
import { ASK_DOCTOR } from './ask-doctor.ts'

const TIME_MS = 30_000
// Characters of an error, which may name what others wrote.
const LONGEST_MESSAGE = 2_000
const USAGE = `npm run webhooks -- list [--pending] [--limit n]   what is parked, or still to be tried
npm run webhooks -- show <id> [--body]             one event
npm run webhooks -- retry <id>|all|buffer          has it tried again by the next run of maintenance
npm run webhooks -- park <id>                      keeps it for a person
`

process.exitCode = await run(process.argv.slice(2))

/** Exit status: 0 done, 1 it could not be done, 2 no such command. */
async function run(words: string[]): Promise<number> {
  const command = readCommand(words)
  if (command === undefined) {
    process.stderr.write(USAGE)
    return 2
  }
  try {
    process.stdout.write(`${readableJson(await manage(command))}\n`)
    return 0
  } catch (error) {
    if (error instanceof ContentError) {
      process.stderr.write(USAGE)
      return 2
    }
    if (!(error instanceof CodedError)) throw error
    if (error instanceof SettingsError) for (const { variable, reason } of error.issues) process.stderr.write(`${variable} ${reason}\n`)
    process.stderr.write(`${error.code}: ${asLine(error.message, { maxLength: LONGEST_MESSAGE })}\n`)
    if (/^(database|buffer|settings)-/.test(error.code)) process.stderr.write(`${ASK_DOCTOR}\n`)
    return 1
  }
}

async function manage(command: object): Promise<Record<string, unknown>> {
  const { database: settings, keys, buffer } = readSettings({ database: databaseSettings, keys: payloadSettings, buffer: bufferSettings })
  const logger = createLogger({ name: 'cli/webhooks', level: 'silent' })
  const { manager, service } = prepareDatabase(settings, { name: 'cli/webhooks', logger, timeLimitMs: TIME_MS })
  const deadline = openDeadline({ remainingMs: TIME_MS, reserveMs: 0 })
  try {
    return await manageWebhooks(command, { database: service, keys, buffer, sources: application.describedSources, deadline })
  } finally {
    deadline.clear()
    await manager.gracefulShutdown()
  }
}

function readCommand(args: string[]): object | undefined {
  try {
    const options = { pending: { type: 'boolean' }, limit: { type: 'string' }, body: { type: 'boolean' } } as const
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    const [action, id, ...rest] = positionals
    if (action === undefined || rest.length > 0) return undefined
    return {
      action,
      ...(id === undefined ? {} : { id }),
      ...(values.pending === true ? { state: 'pending' } : {}),
      ...(values.limit === undefined ? {} : { limit: Number(values.limit) }),
      ...(values.body === true ? { body: true } : {}),
    }
  } catch {
    return undefined
  }
}
