import { randomUUID } from 'node:crypto'
import { ResilientSequelize, migrate } from '../../../resilient-sequelize/src/index.ts'
import { createLogger } from '../../../functions-runtime/src/telemetry/logger.ts'
import { signDelivery } from '../../../functions-devkit/src/server/sign-delivery.ts'
import { withDatabase, type TestDatabase } from '../../../functions-devkit/test/support/database.ts'
import { createInbox, migrations, type Inbox, type InboxOptions } from '../../src/index.ts'

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
export const ENVIRONMENT = { SECRET }

/** A delivery of a test. */
export interface Delivery {
  readonly source?: string
  readonly id?: string
  readonly contentType?: string
  /** What the sender adds to its signature. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface Stage {
  readonly sequelize: ResilientSequelize
  readonly database: TestDatabase
  /** What the inboxes logged. */
  readonly lines: Record<string, unknown>[]
  /** An inbox whose sources have the secret of the test and whose log is `lines`. */
  open(options: Omit<InboxOptions, 'environment' | 'logger'>): Inbox & { send(body: string, delivery?: Delivery): Promise<Answer> }
}

export interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
}

/** Runs a test with an empty database and an instance on it. With `schema`, the inbox's tables are there. */
export async function withStage({ schema }: { schema?: string }, work: (stage: Stage) => Promise<void>): Promise<void> {
  await withDatabase(
    async database => {
      const sequelize = new ResilientSequelize(database.url, { logging: false, pool: { max: 3 } })
      const lines: Record<string, unknown>[] = []
      const logger = createLogger({ name: 'test', level: 'debug', destination: { write: text => void lines.push(JSON.parse(text) as never) } })
      try {
        if (schema !== undefined) await migrate({ sequelize, migrations, schema })
        await work({
          sequelize,
          database,
          lines,
          open(options) {
            const inbox = createInbox(sequelize, { ...options, environment: ENVIRONMENT, logger })
            return {
              ...inbox,
              async send(text, { source = 'shop', id = randomUUID(), contentType = 'application/json', headers = {} } = {}) {
                const definition = options.sources[source]
                if (definition === undefined) throw new Error(`the test has no source ${source}`)
                const body = Buffer.from(text)
                const signed = signDelivery(definition, { id, body, sentAt: Date.now(), secret: SECRET })
                const { status, body: told } = await inbox.receive({ source, headers: { 'Content-Type': contentType, ...signed, ...headers }, body })
                return { status, body: JSON.parse(told) as Record<string, unknown> }
              },
            }
          },
        })
      } finally {
        await sequelize.close()
      }
    },
    { empty: true },
  )
}
