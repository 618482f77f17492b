import { defineCommand } from '../define-command.ts'

const FLAG = { type: 'boolean', default: false } as const

export const command = defineCommand({
  usage: `usage: npm run webhooks -- list [--pending] [--limit n]
       npm run webhooks -- show <id> [--body]
       npm run webhooks -- retry <id>|all|buffer
       npm run webhooks -- park <id>

  list      what is parked, or with --pending what is still to be tried; at most n events (50)
  show      one event, with --body also what its sender sent
  retry     has it tried again by the next run of maintenance
  park      keeps it for a person
  --local   use the database of the npm start that is running, not the one of the environment or of .env
  --json    print JSON instead of a table

Exit status: 0 done, 1 it could not be done, 2 wrong usage.`,
  options: { pending: FLAG, limit: { type: 'string' }, body: FLAG, local: FLAG, json: FLAG },
  takesWords: true,
  read({ values: { pending, limit, body, local, json }, words: [action, id, ...more] }) {
    if (action === undefined) throw new Error()
    if (more.length > 0) throw new Error(id === undefined ? '' : `One event is enough: ${id}`)
    // The inbox checks the rest of it.
    const asked = {
      action,
      ...(id === undefined ? {} : { id }),
      ...(pending ? { state: 'pending' } : {}),
      ...(limit === undefined ? {} : { limit: Number(limit) }),
      ...(body ? { body: true } : {}),
    }
    return { asked, local, json }
  },
})
