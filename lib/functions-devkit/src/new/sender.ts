import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { schemeNames, type SchemeName } from '../../../webhook-inbox/src/verify/source.ts'
import { constantCaseOf, identifierOf, slugOf } from './names.ts'
import type { Scaffold, ScaffoldOptions } from './scaffold.ts'
import { sourceFile } from './source-file.ts'

// What a scheme leaves to the source.
const FIELDS: Partial<Record<SchemeName, readonly string[]>> = {
  digitalocean: ["eventId: 'body'", "type: { pointer: '/type' }"],
  hmac: [
    "signature: { header: 'x-signature', algorithm: 'sha256', encoding: 'hex', prefix: 'sha256=' }",
    "timestamp: { header: 'x-timestamp', separator: '.' }",
    "eventId: { pointer: '/id' }",
    "type: { pointer: '/type' }",
    "data: '/data'",
  ],
}

// Names that the file, its test and the index have.
const TAKEN = [
  'call',
  'composeDelivery',
  'defineHandler',
  'defineSource',
  'expect',
  'main',
  'secret',
  'sourceTable',
  'storableText',
  'test',
  'withFunctions',
  'z',
]

/**
 * Returns a sender of webhooks with a handler for one type.
 * @throws Error for an invalid or taken name, and for an unknown scheme.
 */
export function scaffoldSender({
  application,
  words,
  withTest,
  scheme = 'standard',
}: ScaffoldOptions & { readonly scheme?: string | undefined }): Scaffold {
  const slug = slugOf(words)
  const known = schemeNames.find(name => name === scheme)
  if (known === undefined) throw new Error(`There is no scheme ${scheme}; there are ${schemeNames.join(', ')}`)
  const path = `lib/app/webhooks/sources/${slug}.ts`
  if (existsSync(join(application, path))) throw new Error(`There is a sender ${slug} already: ${path}`)
  const name = identifierOf(slug, 'Source', TAKEN)
  const variable = `WEBHOOK_SECRET_${constantCaseOf(slug)}`
  const type = `${slug}.event`
  const fields = [`scheme: '${known}'`, `secrets: '${variable}'`, ...(FIELDS[known] ?? [])]
  const secret = known === 'standard' ? "`whsec_${Buffer.alloc(32, 5).toString('base64')}`" : "'secret-of-the-tests-0123456789'"
  const test = `test/webhooks/${slug}.test.ts`
  const support = 'functions-devkit/test/support/functions.ts'
  return {
    files: {
      [path]: sourceFile({
        application,
        path,
        imports: [
          { name: '* as z', from: 'zod/mini' },
          { name: 'storableText', from: 'functions-runtime/src/content/storable-text.ts' },
          { name: 'defineHandler', from: 'webhook-inbox/src/inbox/handler.ts' },
          { name: 'defineSource', from: 'webhook-inbox/src/verify/define-source.ts' },
        ],
        text: `export const ${name} = defineSource({
${fields.map(field => `  ${field},\n`).join('')}  handlers: [
    // Put your own types in its place; an event of another type is stored and otherwise ignored.
    defineHandler({
      type: '${type}',
      schema: z.object({ reference: storableText({ maxLength: 100 }) }),
      needsDatabase: true,
      async apply({ id, data }, { afterCommit, logger }) {
        afterCommit(() => logger.info({ event: '${type}', eventId: id, reference: data.reference }))
      },
    }),
  ],
})
`,
      }),
      ...(withTest && {
        [test]: sourceFile({
          application,
          path: test,
          imports: [
            { name: 'expect', from: 'vitest' },
            { name: 'test', from: 'vitest' },
            { name, from: `/${path}` },
            { name: 'composeDelivery', from: 'functions-devkit/src/server/compose-delivery.ts' },
            { name: 'call', from: support },
            { name: 'withFunctions', from: support },
            { name: 'main', from: '/packages/api/webhook/index.ts' },
          ],
          text: `const secret = ${secret}

test('an event of ${slug} is applied once', async () => {
  const work = async () => {
    const { headers, body } = composeDelivery({ definition: ${name}, secret, type: '${type}', data: { reference: '1' } })
    const send = () => call(main, { method: 'POST', path: '/${slug}', headers: { ...headers }, body })
    expect(await send()).toMatchObject({ statusCode: 200, body: { outcome: 'applied' } })
    expect(await send()).toMatchObject({ statusCode: 200, body: { outcome: 'duplicate' } })
  }
  await withFunctions([main], work, { ${variable}: secret })
})
`,
        }),
      }),
    },
    next: [
      `Start npm start and send it something: npm run send -- ${slug} ${type} --data '{"reference":"1"}'`,
      `Its secret goes into .env as ${variable}; npm run secrets prints one`,
    ],
  }
}
