import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline/promises'
import { readableJson } from '../../../functions-runtime/src/foreign-text.ts'
import { localHealthKey } from '../server/local-health-key.ts'
import { inWords, report } from '../server/report.ts'
import { findRunningServer, requireRunningServer } from '../server/running-server.ts'
import { command } from './options/smoke.ts'
import { checklist } from './smoke/checklist.ts'
import { outageChecks } from './smoke/outage.ts'
import { runChecks } from './smoke/run.ts'
import { readTarget, type SmokeTarget } from './smoke/target.ts'

// `npm run smoke`: is what was deployed what was meant?

const { url, outage, json } = command.readOrExit()

try {
  process.exitCode = await smoke()
} catch (error) {
  report(inWords(error))
  process.exitCode = 2
}

/** Exit status: 0 all is well, 1 something is not. */
async function smoke(): Promise<0 | 1> {
  const target = findTarget()
  const mark = `${new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14)}-${randomBytes(3).toString('hex')}`
  const terminal = outage ? createInterface({ input: process.stdin }) : undefined
  const lines = terminal?.[Symbol.asyncIterator]()
  const print = (line: string) => {
    if (!json) console.log(line)
  }
  const ask = async (what: string) => {
    const question = `\n${what}\nThen press Enter.`
    if (json) report(question)
    else console.log(question)
    if ((await lines?.next())?.done !== false) throw new Error('Standard input has ended, and no Enter came: --outage needs a terminal')
  }
  try {
    print(`${target.url}\n`)
    const checks = [...checklist(target, mark), ...(outage ? outageChecks(target, mark, { ask }) : [])]
    const results = await runChecks(checks, print)
    const failed = results.filter(({ outcome }) => outcome === 'fail').length
    print(failed === 0 ? '\nAll is well.' : `\n${failed} of ${results.length} failed.`)
    if (json) console.log(readableJson({ url: target.url, failed, checks: results }))
    return failed === 0 ? 0 : 1
  } finally {
    terminal?.close()
  }
}

/** The keys of the local server lie beside its data; those of a deployment are given. */
function findTarget(): SmokeTarget {
  const local = url === undefined ? requireRunningServer() : findRunningServer()
  if (local !== undefined && (url === undefined || url === local.address)) {
    const { webhookSecret, apiKey } = local.secrets
    return { url: local.address, webhookSecret, apiKey, healthKey: localHealthKey(webhookSecret) }
  }
  return readTarget(url ?? '', process.env)
}
