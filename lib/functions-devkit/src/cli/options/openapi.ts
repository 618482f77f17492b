import { defineCommand } from '../define-command.ts'

export const command = defineCommand({
  usage: `usage: npm run openapi
       npm run openapi -- <package/function> [--out FILE]

  Lists the functions that have a contract; with a name, prints the contract of that function, or writes it to FILE.

Exit status: 0 done, 1 a function or a file is in the way, 2 wrong usage.`,
  options: { out: { type: 'string' } },
  takesWords: true,
  read({ values: { out }, words: [name, ...more] }) {
    if (more.length > 0) throw new Error('One function is enough')
    if (out !== undefined && name === undefined) throw new Error('--out needs a function')
    return { name, out }
  },
})
