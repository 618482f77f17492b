import type { FunctionEvent, FunctionContext } from '../../../functions-runtime/src/edge/event.ts'
import { APPLICATION_FOLDER } from '../../src/application-folder.ts'
import type { ApiMain } from '../../../functions-runtime/src/api/define-api.ts'
import { loadApis } from '../../src/cli/apis.ts'
import { writeKey } from '../../../functions-runtime/src/settings/api-keys.ts'
import { digestOf } from '../../../functions-runtime/src/edge/auth.ts'
import { type Main } from '../../../functions-runtime/src/edge/define.ts'
import type { Answer } from './answer.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'

const { scopes: allScopes } = await loadApis(APPLICATION_FOLDER)

export const apiKey = 'key_for-the-tests-only-0123456789'
/** A setting with one key for each purpose of a test. */
export const keySetting = (key: string, name = 'test', granted: readonly string[] = allScopes) =>
  writeKey({ name, scopes: granted, digest: digestOf(key) })
export const webhookSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

/** Every variable that the functions read, for a database of a test. */
export function environmentFor(database: TestDatabase): Record<string, string> {
  const { host, port, user, password, authority } = database.connectionSettings
  return {
    DB_HOST: host,
    DB_PORT: String(port),
    DB_NAME: database.name,
    DB_USER: user,
    DB_PASSWORD: password,
    DB_CA_CERT: authority,
    LOG_LEVEL: 'silent',
    API_KEYS: keySetting(apiKey),
    WEBHOOK_SECRET_DEMO: webhookSecret,
    WEBHOOK_RETENTION_DAYS: '30',
    WEBHOOK_REDELIVERY_DAYS: '30',
    ACTIVITY_RETENTION_DAYS: '90',
  }
}

/** Calls `work` with the environment changed, and restores it. */
export async function withEnvironment<Result>(changes: Readonly<Record<string, string | undefined>>, work: () => Promise<Result>): Promise<Result> {
  const before = Object.fromEntries(Object.keys(changes).map(name => [name, process.env[name]]))
  const set = (values: Readonly<Record<string, string | undefined>>) => {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
  set(changes)
  try {
    return await work()
  } finally {
    set(before)
  }
}

/**
 * Runs a test with functions on a database of their own. Each function starts anew, as in a fresh container, and is
 * shut down at the end; dropping the database then proves that it left no session behind.
 */
export async function withFunctions(
  mains: readonly Main[],
  work: (database: TestDatabase) => Promise<void>,
  changes: Readonly<Record<string, string | undefined>> = {},
): Promise<void> {
  const database = await createTestDatabase()
  try {
    await withEnvironment({ ...environmentFor(database), ...changes }, () => work(database))
  } finally {
    await Promise.all(mains.map(main => main.shutdown()))
  }
  await database.drop()
}

export interface CallRequest {
  method?: string
  path?: string
  query?: string
  headers?: Record<string, string>
  body?: string | Buffer
  base64?: boolean
}

/** Calls a function over the web, in raw mode, as the platform does. What an API answers is held against its contract. */
export async function call(main: Main, request: CallRequest, context: FunctionContext = {}): Promise<Answer> {
  const body = Buffer.from(request.body ?? '')
  const base64 = request.base64 ?? true
  const event: FunctionEvent = {
    http: {
      method: request.method ?? 'GET',
      path: request.path ?? '',
      headers: request.headers ?? {},
      queryString: request.query ?? '',
      body: body.toString(base64 ? 'base64' : 'utf8'),
      isBase64Encoded: base64,
    },
  }
  const answer = (await main(event, { getRemainingTimeInMillis: () => 10_000, ...context })) as unknown as Answer
  if ('contract' in main) {
    const { checkAnswer } = await import('./contract.ts')
    await checkAnswer(main as ApiMain, { method: request.method ?? 'GET', path: request.path ?? '' }, answer)
  }
  return answer
}
