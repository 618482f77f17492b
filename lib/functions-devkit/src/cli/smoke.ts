import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline/promises'
import { dataFolderOf } from '../server/data-folder.ts'
import { localHealthKey } from '../server/local-health-key.ts'
import { lockHolder } from '../server/lock.ts'
import { inWords, report } from '../server/report.ts'
import { keepSecrets } from '../server/secrets.ts'
import { checklist } from './smoke/checklist.ts'
import { readSmokeOptions } from './smoke/options.ts'
import { outageChecks } from './smoke/outage.ts'
import { runChecks } from './smoke/run.ts'
import { readTarget, type SmokeTarget } from './smoke/target.ts'
import { APPLICATION_FOLDER } from '../application-folder.ts'

// `npm run smoke`: is what was deployed what was meant?

try {
  process.exitCode = await smoke(process.argv.slice(2))
} catch (error) {
  report(inWords(error))
  process.exitCode = 2
}

/** Exit status: 0 all is well, 1 something is not. */
async function smoke(args: readonly string[]): Promise<0 | 1> {
  const { url, outage } = readSmokeOptions(args)
  const target = findTarget(url)
  const mark = `${new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14)}-${randomBytes(3).toString('hex')}`
  const terminal = outage ? createInterface({ input: process.stdin }) : undefined
  const lines = terminal?.[Symbol.asyncIterator]()
  const ask = async (what: string) => {
    console.log(`\n${what}\nThen press Enter.`)
    if ((await lines?.next())?.done !== false) throw new Error('Nobody is there to press Enter')
  }
  try {
    console.log(`${target.url}\n`)
    const checks = [...checklist(target, mark), ...(outage ? outageChecks(target, mark, { ask }) : [])]
    const results = await runChecks(checks, line => console.log(line))
    const failed = results.filter(({ outcome }) => outcome === 'fail').length
    console.log(failed === 0 ? '\nAll is well.' : `\n${failed} of ${results.length} failed.`)
    return failed === 0 ? 0 : 1
  } finally {
    terminal?.close()
  }
}

/** The keys of the local server lie beside its data; those of a deployment are given. */
function findTarget(url: string | undefined): SmokeTarget {
  const { folder } = dataFolderOf(APPLICATION_FOLDER, process.env.LOCAL_DATA_FOLDER)
  const local = lockHolder({ folder })?.address
  if (local !== undefined && (url === undefined || url === local)) {
    const { webhookSecret, apiKey } = keepSecrets(folder)
    return { url: local, webhookSecret, apiKey, healthKey: localHealthKey(webhookSecret) }
  }
  if (url === undefined) throw new Error('No local server is running on this checkout: npm start starts one. To check a deployment give its URL')
  return readTarget(url, process.env)
}
