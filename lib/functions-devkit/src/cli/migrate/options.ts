import { parseArgs } from 'node:util'

export const USAGE = `npm run migrate -- new <name>               writes a dated file for a migration, and its line in the list
npm run migrate -- check                    applies all of them to a database made for it, and tells what is unsafe
npm run migrate -- status                   what is applied, pending, or changed since
npm run migrate -- up [--allow-breaking]    applies what is pending
npm run migrate -- reset                    throws away everything in a database of this machine and builds it anew

  --local            on the database of the npm start that is running, and not on the one of the environment or of .env
  --allow-breaking   also those that the deployed functions cannot live with

Exit status: 0 done (status: nothing pending or changed), 1 not done, 2 wrong usage. There is no way down: going back is
a new migration.
`

export type MigrateCommand =
  | { readonly action: 'new'; readonly words: readonly string[] }
  | { readonly action: 'check' | 'status' | 'up' | 'reset'; readonly local: boolean; readonly allowBreaking: boolean }

/** Reads what stands behind `npm run migrate --`; `undefined` for anything that is no command. */
export function readCommand(args: readonly string[]): MigrateCommand | undefined {
  try {
    const options = { local: { type: 'boolean', default: false }, 'allow-breaking': { type: 'boolean', default: false } } as const
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    const [action, ...words] = positionals
    if (action === 'new' && words.length > 0 && !values.local && !values['allow-breaking']) return { action, words }
    if (words.length > 0 || (values['allow-breaking'] && action !== 'up')) return undefined
    const known = (['check', 'status', 'up', 'reset'] as const).find(one => one === action)
    return known && { action: known, local: values.local, allowBreaking: values['allow-breaking'] }
  } catch {
    return undefined
  }
}
