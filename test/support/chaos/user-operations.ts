import { randomUUID } from 'node:crypto'
import { createActivityRecorders } from '../../../lib/app/activity/record.ts'
import type { DatabaseService } from '../../../lib/functions-runtime/src/database/service.ts'
import { createClaim } from '../../../lib/functions-runtime/src/api/claim.ts'
import { createTransaction } from '../../../lib/app/transactions/create.ts'
import { createUser } from '../../../lib/app/users/create.ts'
import { patchUser } from '../../../lib/app/users/patch.ts'
import type { TestDatabase } from '../../../lib/functions-devkit/test/support/database.ts'

/** An operation of the API that meets a fault: what it does, and what it leaves. */
export interface UserOperation {
  readonly name: string
  /** It never fails, and what it writes may be missing. */
  readonly bestEffort?: boolean
  /** The statement that writes. */
  readonly writes: RegExp
  /** Makes one to be performed, and to be performed again as a caller does who got no answer. */
  prepare(service: DatabaseService, database: TestDatabase): Promise<Prepared>
}

export interface Prepared {
  perform(): Promise<unknown>
  /** How often its effect is there; a half of it counts as an error. */
  effects(): Promise<number>
}

// A busy machine takes longer than an activity may cost a request; here it is to meet its fault.
const recorderFor = (service: DatabaseService) => createActivityRecorders(service, { budgetMs: 2_500 })({ ip: null, userAgent: null })
const claimOf = (key: string, body: unknown) => createClaim({ caller: 'test', key, request: [body] })
const newUser = () => ({ email: `${randomUUID()}@example.com`, name: 'Ada', externalId: randomUUID() })

async function count(database: TestDatabase, text: string, values: unknown[]): Promise<number> {
  const [row] = await database.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${text}`, values)
  return row?.count ?? Number.NaN
}

async function storeUser(database: TestDatabase): Promise<string> {
  const [row] = await database.query<{ id: string }>(
    "INSERT INTO users (id, email, name, created_at, updated_at) VALUES (gen_random_uuid(), gen_random_uuid() || '@example.com', 'Ada', now(), now()) RETURNING id",
  )
  return row?.id ?? ''
}

export const userOperations: readonly UserOperation[] = [
  {
    name: 'create',
    writes: /INSERT INTO "public"\."users"/,
    async prepare(service, database) {
      const user = newUser()
      const key = randomUUID()
      return {
        perform: () => createUser(user, { claim: claimOf(key, user), activity: recorderFor(service), database: service }),
        async effects() {
          const keys = await count(database, 'idempotency_keys k JOIN users u ON u.id = k.user_id WHERE k.key = $1', [key])
          const users = await count(database, 'users WHERE email = $1', [user.email])
          if (keys !== users) throw new Error(`${users} users, ${keys} keys`)
          return users
        },
      }
    },
  },
  {
    name: 'patch',
    writes: /UPDATE "public"\."users"/,
    async prepare(service, database) {
      const id = await storeUser(database)
      const name = randomUUID()
      return {
        perform: () => patchUser(id, { name }, { matches: () => true, activity: recorderFor(service), database: service }),
        effects: () => count(database, 'users WHERE id = $1 AND name = $2', [id, name]),
      }
    },
  },
  {
    name: 'transaction',
    writes: /INSERT INTO "public"\."transactions"/,
    async prepare(service, database) {
      const id = await storeUser(database)
      const key = randomUUID()
      const body = { amount: '10.00', currency: 'EUR', externalId: key, status: 'completed' as const }
      return {
        perform: () => createTransaction(id, body, { claim: claimOf(key, body), activity: recorderFor(service), database: service }),
        async effects() {
          const moved = await count(database, 'balances WHERE user_id = $1 AND amount = 10', [id])
          const made = await count(database, "transactions WHERE user_id = $1 AND status = 'completed'", [id])
          if (moved !== made) throw new Error(`${made} transactions, ${moved} balances`)
          return made
        },
      }
    },
  },
  {
    name: 'activity',
    bestEffort: true,
    writes: /INSERT INTO "public"\."activities"/,
    async prepare(service, database) {
      const id = await storeUser(database)
      return {
        async perform() {
          const recorder = recorderFor(service)
          await recorder.recordActivity(id, 'user.updated')
          await recorder.flushActivity()
        },
        effects: () => count(database, 'activities WHERE user_id = $1', [id]),
      }
    },
  },
]
