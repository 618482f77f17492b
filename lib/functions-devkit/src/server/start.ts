import { setTimeout as sleep } from 'node:timers/promises'
import { describeSamples } from './announce.ts'
import { onEnter } from './enter-key.ts'
import { startLocalServer } from './local-server.ts'
import { readOptions, type StartOptions } from './options.ts'
import { inWords, report } from './report.ts'
import { createShutdown } from './shutdown.ts'
import { onSignals } from './signals.ts'
import { APPLICATION_FOLDER } from '../application-folder.ts'

// `npm start`: the functions on a local database.

/** What a start that is to be given up may still take; with the shutdown's own limits this stays under 10 s. */
const LONGEST_GIVE_UP_MS = 3_000

const options = optionsOrEnd()
const shutdown = createShutdown({ report })
const givenUp = new AbortController()
let gaveUp: Promise<void> | undefined
const startingUp = start()

onSignals({
  underNpm: process.env.npm_lifecycle_event !== undefined,
  stop: signal => {
    console.log(`\n${signal}: ending. Once more ends at once.`)
    givenUp.abort()
    void end(0)
  },
  atOnce: () => {
    shutdown.atOnce()
    process.exit(130)
  },
})

// The terminal, or whatever reads our output, is gone: each line would fail, and report its failure with another line.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => void giveUp())

// Functions fail in containers of their own: this is a mistake of ours, and what has been started must not stay behind.
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    report('npm start failed', error)
    void giveUp()
  })
}

try {
  const server = await startingUp
  console.log(server.description)
  const print = () => {
    const samples = describeSamples(server.freshSamples())
    if (samples !== '') console.log(samples)
  }
  print()
  onEnter(process.stdin, print)
} catch (error) {
  if (!givenUp.signal.aborted) {
    report(inWords(error))
    await end(1)
  }
}

function giveUp(): Promise<void> {
  givenUp.abort()
  return (gaveUp ??= end(1))
}

function start() {
  return startLocalServer({ checkout: APPLICATION_FOLDER, environment: process.env, ...options, shutdown, signal: givenUp.signal })
}

function optionsOrEnd(): StartOptions {
  try {
    return readOptions(process.argv.slice(2))
  } catch (error) {
    report((error as Error).message)
    process.exit(2)
  }
}

/** Waits for a start under way to notice, since what it is just starting must end as well. */
async function end(code: number): Promise<void> {
  await Promise.race([
    startingUp.then(
      () => undefined,
      () => undefined,
    ),
    sleep(LONGEST_GIVE_UP_MS),
  ])
  await shutdown.run()
  process.exit(code)
}
