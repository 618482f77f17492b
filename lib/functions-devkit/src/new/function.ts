import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { functionsOf, parseProject, placeholderEnvironment, ProjectFileError } from '../../../doctl-project-schema/src/index.ts'
import { slugOf } from './names.ts'
import type { Scaffold, ScaffoldOptions } from './scaffold.ts'
import { sourceFile } from './source-file.ts'

const DEFAULT_PACKAGE = 'api'
// Its scope, `<name>:read`, fits into API_KEYS.
const LONGEST_NAME = 50
const RESERVED = ['dist', 'node-modules']
const SUPPORT = 'functions-devkit/test/support/functions.ts'

/**
 * Returns a function: an API with one operation, or, with `cron`, a private one that a schedule invokes.
 * @throws Error for an invalid or taken name, and for a schedule that the platform refuses.
 */
export function scaffoldFunction({ application, words, withTest, cron }: ScaffoldOptions & { readonly cron?: string | undefined }): Scaffold {
  const { inPackage, name } = readName(words)
  const full = `${inPackage}/${name}`
  const path = `packages/${full}/index.ts`
  if (existsSync(join(application, 'packages', full))) throw new Error(`There is a function ${full} already: packages/${full}`)
  refuseTaken(application, full)
  if (cron !== undefined) requireSchedule(application, name, cron)
  if (cron === undefined && !existsSync(join(application, 'lib/app/api.ts')))
    throw new Error('lib/app/api.ts is missing: write `export const defineApi = createDefineApi({ prepareDatabase })` there, of functions-runtime')
  const written = cron === undefined ? apiOf(full, name) : scheduledOf(full, name, cron)
  const test = `test/${full}.test.ts`
  return {
    files: {
      [path]: sourceFile({ application, path, ...written.source }),
      ...(withTest && { [test]: sourceFile({ application, path: test, ...written.test }) }),
    },
    next: written.next,
  }
}

/** @throws Error for a name that the local server or an API key cannot have. */
function refuseTaken(application: string, full: string): void {
  const [, name = ''] = full.split('/')
  if (name.length > LONGEST_NAME) throw new Error(`The name of a function has at most ${LONGEST_NAME} characters`)
  if (RESERVED.includes(name)) throw new Error(`${full} cannot be kept in git, which ignores folders named ${name}. Choose another name`)
  const [namesake] = globSync(`packages/*/${name}`, { cwd: application })
  if (namesake !== undefined)
    throw new Error(`There is a function of this name already: ${namesake}. npm start serves both under /${name}: choose another name`)
}

/** @throws Error for a schedule that the platform refuses. */
function requireSchedule(application: string, name: string, cron: string): void {
  const trigger = { name, type: 'SCHEDULED', scheduledDetails: { cron } }
  const probe = { packages: [{ name: 'probe', functions: [{ name: 'probe', runtime: 'nodejs:24', web: false, triggers: [trigger] }] }] }
  try {
    parseProject(JSON.stringify(probe), {})
  } catch (error) {
    const [issue] = error instanceof ProjectFileError ? error.issues : []
    if (issue === undefined) throw error
    throw new Error(`The schedule ${JSON.stringify(cron)}: ${issue.reason}. ${issue.fix}`, { cause: error })
  }
  const text = readFileSync(join(application, 'project.yml'), 'utf8')
  const owner = functionsOf(parseProject(text, placeholderEnvironment(text))).find(({ triggers }) => triggers.some(one => one.name === name))
  if (owner !== undefined) throw new Error(`${owner.qualifiedName} has a trigger ${name} already. Choose another name`)
}

function readName(words: readonly string[]): { readonly inPackage: string; readonly name: string } {
  const [first = '', ...rest] = words
  const [given, ...parts] = first.split('/')
  if (parts.length === 0) return { inPackage: DEFAULT_PACKAGE, name: slugOf(words) }
  if (parts.length > 1) throw new Error('A function is named <package>/<function>, such as api/orders')
  return { inPackage: slugOf([given ?? '']), name: slugOf([...parts, ...rest]) }
}

interface Written {
  readonly source: Pick<Parameters<typeof sourceFile>[0], 'imports' | 'text'>
  readonly test: Pick<Parameters<typeof sourceFile>[0], 'imports' | 'text'>
  readonly next: readonly string[]
}

function apiOf(full: string, name: string): Written {
  return {
    source: {
      imports: [
        { name: '* as z', from: 'zod/mini' },
        { name: 'defineApi', from: '/lib/app/api.ts' },
        { name: 'json', from: 'functions-runtime/src/edge/reply.ts' },
      ],
      text: `const greetingSchema = z.strictObject({ text: z.string() })

export const main = defineApi({
  name: '${full}',
  operations: operation => [
    // Put your own operations in its place.
    operation(
      'GET /',
      {
        operationId: 'greet',
        summary: 'Greets',
        scope: '${name}:read',
        query: z.strictObject({ name: z._default(z.string(), 'world') }),
        answer: { status: 200, description: 'A greeting.', schema: greetingSchema },
      },
      ({ query }) => json(200, { text: \`Hello, \${query.name}\` }),
    ),
  ],
})
`,
    },
    test: {
      imports: [
        { name: 'expect', from: 'vitest' },
        { name: 'test', from: 'vitest' },
        { name: 'apiKey', from: SUPPORT },
        { name: 'call', from: SUPPORT },
        { name: 'withFunctions', from: SUPPORT },
        { name: 'main', from: `/packages/${full}/index.ts` },
      ],
      text: `const authorization = \`Bearer \${apiKey}\`

test('${full} greets', async () => {
  await withFunctions([main], async () => {
    const answer = await call(main, { method: 'GET', path: '/', query: 'name=Ada', headers: { authorization } })
    expect(answer).toMatchObject({ statusCode: 200, body: { text: 'Hello, Ada' } })
  })
})

test('${full} refuses a call without a key', async () => {
  await withFunctions([main], async () => {
    expect(await call(main, { method: 'GET', path: '/' })).toMatchObject({ statusCode: 401 })
  })
})
`,
    },
    next: [
      `Start npm start and call it: curl -H "authorization: Bearer KEY" http://127.0.0.1:8080/${name}`,
      `A key for it: npm run keys -- new <name> ${name}:read`,
    ],
  }
}

function scheduledOf(full: string, name: string, cron: string): Written {
  const runtime = 'functions-runtime/src'
  return {
    source: {
      imports: [
        { name: 'prepareDatabase', from: '/lib/app/database.ts' },
        { name: 'databaseSettings', from: `${runtime}/database/settings.ts` },
        { name: 'defineFunction', from: `${runtime}/edge/define.ts` },
      ],
      text: `export const main = defineFunction({
  name: '${full}',
  schedules: [{ name: '${name}', cron: '${cron}' }],
  fewConnections: 2,
  settings: { database: databaseSettings },
  setup: ({ database }, { logger, timeLimitMs }) => prepareDatabase(database, { name: '${full}', logger, timeLimitMs }),
  pool: ({ manager }) => manager.getConnectionStatus(),
  shutdown: ({ manager }) => manager.gracefulShutdown(),
  // Put your own work in its place.
  invoked: async (_input, { services: { service } }) => {
    const [row] = await service.execute('${name}', ({ query }) => query<{ at: Date }>('SELECT now() AS at'), { mode: 'read' })
    return { at: row?.at.toISOString() }
  },
})
`,
    },
    test: {
      imports: [
        { name: 'expect', from: 'vitest' },
        { name: 'test', from: 'vitest' },
        { name: 'withFunctions', from: SUPPORT },
        { name: 'main', from: `/packages/${full}/index.ts` },
      ],
      text: `test('${full} works when its schedule invokes it', async () => {
  await withFunctions([main], async () => {
    expect(await main({ source: 'schedule', task: '${name}' })).toMatchObject({ at: expect.any(String) as string })
  })
})
`,
    },
    next: [`Start npm start and fire the schedule: curl -X POST http://127.0.0.1:8080/__schedule/${name}`, 'A namespace takes three triggers in all'],
  }
}
