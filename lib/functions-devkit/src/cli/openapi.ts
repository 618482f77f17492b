import { writeFileSync } from 'node:fs'
import { APPLICATION_FOLDER } from '../application-folder.ts'
import { inWords, report } from '../server/report.ts'
import { loadApis, type Api, type Apis } from './apis.ts'
import { command } from './options/openapi.ts'

// `npm run openapi`: lists the functions with a contract, or prints the contract of one.

process.exitCode = await run(command.readOrExit())

/** Exit status: 0 done, 1 a function or a file is in the way, 2 wrong usage. */
async function run({ name, out }: ReturnType<typeof command.parse>): Promise<0 | 1 | 2> {
  const apis = await loadApis(APPLICATION_FOLDER)
  for (const mistake of apis.mistakes) report(mistake)
  if (name === undefined) return list(apis)
  const api = apis.all.find(one => one.name === name)
  if (api === undefined) {
    const broken = apis.mistakes.some(mistake => mistake.startsWith(`${name} `))
    if (!broken) report(`${name} has no contract; ${namesOf(apis)}`)
    return broken ? 1 : 2
  }
  return write(api, out)
}

function list({ all, mistakes }: Apis): 0 | 1 {
  if (all.length === 0) report('No function has a contract: lib/app/api.ts has defineApi for one that does')
  for (const { name, main } of all) process.stdout.write(`${name}  ${main.operations.length} operations\n`)
  return mistakes.length === 0 ? 0 : 1
}

async function write({ name, main }: Api, out: string | undefined): Promise<0 | 1> {
  try {
    const text = `${JSON.stringify(await main.contract(), undefined, 2)}\n`
    if (out === undefined) process.stdout.write(text)
    else writeFileSync(out, text)
    return 0
  } catch (error) {
    report(`The contract of ${name} cannot be written: ${inWords(error)}`)
    return 1
  }
}

function namesOf({ all }: Apis): string {
  return all.length === 0 ? 'no function has one' : `those that have one: ${all.map(({ name }) => name).join(' ')}`
}
