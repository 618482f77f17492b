import { application } from '../application.ts'
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
import { NotRunningError, requireRunningServer } from '../server/running-server.ts'
import { ASK_DOCTOR } from './ask-doctor.ts'
import { ofLocalDatabase, withoutHost } from './error-words.ts'
import { command } from './options/webhooks.ts'
import { createProgress, NO_PROGRESS } from './progress.ts'
import { findReasonToWait } from './waiting.ts'
import { describeAnswer, type Answer } from './webhooks/describe.ts'

// `npm run webhooks`: what is parked or pending in the inbox, for a person.

const NAME = 'cli/webhooks'
const TIME_MS = 30_000
// A database that has not answered by then is asked by a connection of its own, which says why.
const PATIENCE_MS = 1_000
// Characters of an error, which may name what others wrote.
const LONGEST_MESSAGE = 2_000

const { asked, local, json } = command.readOrExit()
const progress = json ? NO_PROGRESS : createProgress()
const status = await run()
// A probe of a silent port would keep the process alive.
process.stdout.write('', () => process.exit(status))

/** Exit status: 0 done, 1 it could not be done, 2 no such command. */
async function run(): Promise<0 | 1 | 2> {
  try {
    const answer = await manage(local ? requireRunningServer().settings() : process.env)
    progress.end()
    process.stdout.write(json ? `${readableJson(answer)}\n` : describeAnswer(answer))
    return 0
  } catch (error) {
    progress.end()
    if (error instanceof ContentError) {
      const wrong = error.issues.map(({ path, message }) => `${path.slice(1)}: ${message}\n`)
      process.stderr.write(`${wrong.join('')}${command.usage}\n`)
      return 2
    }
    if (!(error instanceof CodedError || error instanceof NotRunningError)) throw error
    if (error instanceof SettingsError) for (const { variable, reason } of error.issues) process.stderr.write(`${variable} ${reason}\n`)
    const code = error instanceof CodedError ? error.code : undefined
    const reason = local && code === 'database-unavailable' && error.cause !== undefined ? ofLocalDatabase(error.cause) : error.message
    process.stderr.write(`${code === undefined ? '' : `${code}: `}${asLine(reason, { maxLength: LONGEST_MESSAGE })}\n`)
    if (!local && /^(database|buffer|settings)-/.test(code ?? '')) process.stderr.write(`${ASK_DOCTOR}\n`)
    return 1
  }
}

async function manage(environment: Readonly<Record<string, string | undefined>>): Promise<Answer> {
  const groups = { database: databaseSettings, keys: payloadSettings, buffer: bufferSettings }
  const { database: settings, keys, buffer } = readSettings(groups, environment)
  const { manager, service } = prepareDatabase(settings, { name: NAME, logger: createLogger({ name: NAME, level: 'silent' }), timeLimitMs: TIME_MS })
  const deadline = openDeadline({ remainingMs: TIME_MS, reserveMs: 0 })
  const impatience = setTimeout(() => void explainWaiting(), PATIENCE_MS)
  try {
    return await manageWebhooks(asked, { database: service, keys, buffer, sources: application.describedSources, deadline })
  } finally {
    clearTimeout(impatience)
    deadline.clear()
    await manager.gracefulShutdown()
  }

  async function explainWaiting(): Promise<void> {
    const atMost = `for at most ${TIME_MS / 1_000} s`
    progress.step(`waiting for the database, ${atMost}`)
    const reason = await findReasonToWait(settings, { name: NAME, withinMs: TIME_MS / 3 })
    if (reason !== undefined) progress.step(`${local ? ofLocalDatabase(reason) : withoutHost(reason)}; tried again ${atMost}`)
  }
}
