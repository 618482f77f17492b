import { defineCommand } from '../define-command.ts'

const FLAG = { type: 'boolean', default: false } as const
const ACTIONS = ['list', 'show', 'retry', 'park'] as const
type Action = (typeof ACTIONS)[number]
// As the inbox has it, which checks all of this again.
const MOST_LISTED = 500
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

export const command = defineCommand({
  usage: `usage: npm run webhooks -- list [--pending] [--limit n] [--local] [--json]
       npm run webhooks -- show <id> [--body] [--local] [--json]
       npm run webhooks -- retry <id>|all|buffer [--local] [--json]
       npm run webhooks -- park <id> [--local] [--json]

  list      what is parked, or with --pending what is still to be tried; at most n events (50, no more than ${MOST_LISTED})
  show      one event, with --body also what its sender sent
  retry     has it tried again by the next run of maintenance
  park      keeps it for a person
  --local   use the database and settings of the npm start that is running, none of the environment or of .env
  --json    print JSON instead of a table

Exit status: 0 done, 1 it could not be done, 2 wrong usage.`,
  options: { pending: FLAG, limit: { type: 'string' }, body: FLAG, local: FLAG, json: FLAG },
  takesWords: true,
  read({ values: { pending, limit, body, local, json }, words: [action, id, ...more] }) {
    if (action === undefined) throw new Error()
    if (!isAction(action)) throw new Error(`There is no webhooks ${action}`)
    if (more.length > 0) throw new Error(`One event is enough: ${id}`)
    if (pending && action !== 'list') throw new Error('--pending belongs to list')
    if (limit !== undefined && action !== 'list') throw new Error('--limit belongs to list')
    if (body && action !== 'show') throw new Error('--body belongs to show')
    if (limit !== undefined && !isLimit(limit)) throw new Error(`--limit takes a whole number from 1 to ${MOST_LISTED}: ${limit}`)
    checkId(action, id)
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

function isAction(action: string): action is Action {
  return ACTIONS.some(one => one === action)
}

function isLimit(limit: string): boolean {
  return /^\d+$/.test(limit) && Number(limit) >= 1 && Number(limit) <= MOST_LISTED
}

function checkId(action: Action, id: string | undefined): void {
  if (action === 'list') {
    if (id !== undefined) throw new Error(`list takes no id: ${id}`)
    return
  }
  const others = action === 'retry' ? ', all or buffer' : ''
  const expected = `${action} takes the id of an event, as list shows it${others}`
  if (id === undefined) throw new Error(expected)
  if (!ID.test(id) && !(action === 'retry' && ['all', 'buffer'].includes(id))) throw new Error(`${expected}: ${id}`)
}
