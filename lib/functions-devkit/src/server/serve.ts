import { isatty } from 'node:tty'
import { readSettings, SettingsError } from '../../../functions-runtime/src/settings/settings.ts'
import { hostSettings, type HostSettings } from '../settings/host.ts'
import { logSettings } from '../../../functions-runtime/src/settings/log.ts'
import { createLogger } from '../../../functions-runtime/src/telemetry/logger.ts'
import { startHost, type Host } from './host/host.ts'
import { openLogOutput } from './host/log-output.ts'
import { command } from '../cli/options/serve.ts'
import { inWords } from './report.ts'
import { onSignals } from './signals.ts'
import { APPLICATION_FOLDER } from '../application-folder.ts'

// `npm run serve`: the built functions as one long-lived process.

command.readOrExit()
const settings = settingsOrEnd()
const output = openLogOutput({ file: settings.host.logFile, onTerminal: isatty(1) })
const logger = createLogger({ name: 'host', level: settings.log.level, destination: output })
// The numbers of the signals are part of what a shell is told of a program's end.
const EXIT_CODES: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143 }

let ending = false
let host: Host | undefined

// Before anything is begun: a signal that comes while the functions are loaded waits for that, and ends them in order.
onSignals({
  signals: ['SIGINT', 'SIGTERM'],
  underNpm: process.env.npm_lifecycle_event !== undefined,
  stop: signal => void end(0, signal),
  atOnce(signal) {
    logger.warn({ event: 'host.killed', signal })
    host?.kill()
    void leave(EXIT_CODES[signal] ?? 1)
  },
})
process.on('SIGHUP', () => {
  output.reopen()
  logger.info({ event: 'log.file.reopened' })
})
// Nobody knows what state the functions are in after this: what runs is answered, and another process takes over.
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    logger.error({ event: 'host.failed', error })
    void end(1, event)
  })
}

const starting = startHost({
  checkout: APPLICATION_FOLDER,
  environment: process.env,
  settings: settings.host,
  output,
  logger,
})
try {
  host = await starting
  logger.info({ event: 'host.started', address: host.address, schedules: settings.host.runSchedules, node: process.version })
} catch (error) {
  // Said in plain words as well: this is read by somebody who has just tried to start it.
  console.error(inWords(error))
  await leave(1)
}

async function end(code: number, reason: string): Promise<void> {
  if (ending) return
  ending = true
  logger.info({ event: 'host.ending', reason })
  await starting.then(
    started => started.end(),
    () => undefined,
  )
  logger.info({ event: 'host.ended', code })
  await leave(code)
}

async function leave(code: number): Promise<never> {
  await output.end()
  process.exit(code)
}

function settingsOrEnd(): { host: HostSettings; log: { level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent' } } {
  try {
    return readSettings({ host: hostSettings, log: logSettings })
  } catch (error) {
    const lines = error instanceof SettingsError ? error.issues.map(({ variable, reason }) => `  ${variable} ${reason}`) : [inWords(error)]
    console.error(['Settings are not usable:', ...lines].join('\n'))
    process.exit(1)
  }
}
