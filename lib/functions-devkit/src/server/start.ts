import { setTimeout as sleep } from 'node:timers/promises'
import { describeSamples } from './announce.ts'
import { describeKeys, onKeys } from './keys.ts'
import { startLocalServer } from './local-server.ts'
import { command } from './options.ts'
import { inWords, report } from './report.ts'
import { createShutdown } from './shutdown.ts'
import { onSignals } from './signals.ts'
import { APPLICATION_FOLDER } from '../application-folder.ts'

// `npm start`: the functions on a local database.

/** What a start that is to be given up may still take; with the shutdown's own limits this stays under 10 s. */
const LONGEST_GIVE_UP_MS = 3_000

const options = command.readOrExit()
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
  const keys = {
    Enter: { does: 'fresh samples', run: print },
    u: { does: 'URLs', run: () => console.log(server.description) },
    s: { does: 'secrets: API key, health key, webhook secrets', run: () => console.log(server.secrets()) },
    r: { does: 'npm run sync, and build what has changed', run: () => void server.rebuild() },
  }
  if (process.stdin.isTTY) console.log(describeKeys(keys))
  print()
  onKeys({ input: process.stdin, keys, print: text => console.log(text) })
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
