import { asLines, readableJson } from '../../../functions-runtime/src/foreign-text.ts'
import { inWords } from '../server/report.ts'
import { redactMessage } from '../../../functions-runtime/src/telemetry/redact.ts'
import { findDoctl } from './doctl/doctl.ts'
import { describeFindings, examine, statusOf } from './doctor/doctor.ts'
import { command } from './options/doctor.ts'
import { createProgress, NO_PROGRESS } from './progress.ts'
import { APPLICATION_FOLDER } from '../application-folder.ts'

// `npm run doctor`: checks everything that a deployment depends on.

const options = command.readOrExit()
const progress = options.json ? NO_PROGRESS : createProgress()
// Nothing was checked then: more than a warning.
const status = await run().catch((error: unknown) => {
  progress.end()
  process.stderr.write(`doctor could not run: ${asLines(redactMessage(inWords(error)), { maxLength: 2_000 })}\n`)
  return 2
})
// A silent resolver would keep the process alive.
process.stdout.write('', () => process.exit(status))

async function run(): Promise<0 | 1 | 2> {
  const { file, containers, json } = options
  const findings = await examine({
    checkout: APPLICATION_FOLDER,
    file,
    shell: process.env,
    containers,
    build: true,
    doctl: findDoctl(APPLICATION_FOLDER),
    progress,
  })
  progress.end()
  const colour = process.stdout.isTTY && process.stdout.hasColors()
  process.stdout.write(json ? `${readableJson(findings)}\n` : describeFindings(findings, { colour }))
  return statusOf(findings)
}
