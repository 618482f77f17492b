import { asLines, readableJson } from '../../../functions-runtime/src/foreign-text.ts'
import { parseArgs } from 'node:util'
import { inWords } from '../server/report.ts'
import { redactMessage } from '../../../functions-runtime/src/telemetry/redact.ts'
import { findDoctl } from './doctl/doctl.ts'
import { DEFAULT_CONTAINERS, describeFindings, examine, statusOf } from './doctor/doctor.ts'
import { APPLICATION_FOLDER } from '../application-folder.ts'

// `npm run doctor`: checks everything that a deployment depends on.

const USAGE = `usage: npm run doctor [-- --env FILE] [--containers n] [--json]

  --env FILE       the file of variables to deploy with (.env)
  --containers n   how many containers may be alive at once (${DEFAULT_CONTAINERS})
  --json           a list of { check, status, reason, cure }

It changes nothing. Exit status: 0 no findings, 1 warnings, 2 a failed check, or wrong usage.
`

// Nothing was checked then: more than a warning.
const status = await run(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`doctor could not run: ${asLines(redactMessage(inWords(error)), { maxLength: 2_000 })}\n`)
  return 2
})
// A silent resolver would keep the process alive.
process.stdout.write('', () => process.exit(status))

async function run(args: readonly string[]): Promise<0 | 1 | 2> {
  const options = readOptions(args)
  if (options === undefined) {
    process.stderr.write(USAGE)
    return 2
  }
  if (options.help) {
    process.stdout.write(USAGE)
    return 0
  }
  const { file, containers, json } = options
  const findings = await examine({
    checkout: APPLICATION_FOLDER,
    file,
    shell: process.env,
    containers,
    build: true,
    doctl: findDoctl(APPLICATION_FOLDER),
  })
  const colour = process.stdout.isTTY && process.stdout.hasColors()
  process.stdout.write(json ? `${readableJson(findings)}\n` : describeFindings(findings, { colour }))
  return statusOf(findings)
}

function readOptions(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        env: { type: 'string', default: '.env' },
        containers: { type: 'string', default: String(DEFAULT_CONTAINERS) },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false, short: 'h' },
      },
    })
    const containers = Number(values.containers)
    if (!/^\d{1,5}$/.test(values.containers) || containers < 1) return undefined
    return { file: values.env, containers, json: values.json, help: values.help }
  } catch {
    return undefined
  }
}
