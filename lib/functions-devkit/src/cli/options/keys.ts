import { defineCommand } from '../define-command.ts'

export const command = defineCommand({
  usage: `usage: npm run keys -- new <name> <scope …>

  Makes an API key, prints it once, and prints what API_KEYS needs for it. A name has 1 to 64 letters, digits, and _ . -

Exit status: 0 done, 2 nothing done.`,
  takesWords: true,
  read({ words: [action, name, ...scopes] }) {
    if (action !== 'new' || name === undefined) throw new Error()
    if (!/^[\w.-]{1,64}$/.test(name)) throw new Error(`${JSON.stringify(name)} cannot be the name of a key`)
    return { name, scopes }
  },
})
