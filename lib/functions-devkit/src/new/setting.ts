import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { camelCaseOf, constantCaseOf, identifierOf, slugOf } from './names.ts'
import type { Scaffold, ScaffoldOptions } from './scaffold.ts'
import { sourceFile } from './source-file.ts'

// What Node, the platform and the deployer read themselves.
const TAKEN = /^(?:NODE_|__OW_|AWS_|DO_|npm_)|^(?:PATH|HOME|PORT|TZ|CI)$/

export interface SettingOptions extends ScaffoldOptions {
  /** What the setting is for, for .env.example and the README. */
  readonly meaning?: string | undefined
  /** What holds without it. */
  readonly fallback?: string | undefined
}

/**
 * Returns a setting in a group of its own.
 * @throws Error for an invalid or taken name.
 */
export function scaffoldSetting({ application, words, withTest, meaning, fallback }: SettingOptions): Scaffold {
  const slug = slugOf(words)
  const [name, variable] = [camelCaseOf(slug), constantCaseOf(slug)]
  const group = identifierOf(`${slug}-settings`, 'Group', ['defineSettings', 'readSettings'])
  const path = `lib/app/settings/${slug}.ts`
  const reader = TAKEN.test(variable) ? 'Node or the platform' : readerOf(application, variable)
  if (reader !== undefined) throw new Error(`${variable} is taken: ${reader} has it. Choose another name`)
  if (existsSync(join(application, path))) throw new Error(`There is a setting ${slug} already: ${path}`)
  const form = formOf(fallback)
  const said = meaning?.trim() || `what ${variable} is for: replace these words`
  const test = `test/settings/${slug}.test.ts`
  const runtime = 'functions-runtime/src/settings'
  return {
    files: {
      [path]: sourceFile({
        application,
        path,
        imports: [
          { name: form.reader, from: `${runtime}/schemas.ts` },
          { name: 'defineSettings', from: `${runtime}/settings.ts` },
          { name: 'setting', from: `${runtime}/settings.ts` },
        ],
        text: `export const ${group} = defineSettings({ ${variable}: setting(${form.schema}, ${JSON.stringify(said)}) }, ({ ${variable} }) =>
  Object.freeze({ ${name}: ${variable} }),
)
`,
      }),
      ...(withTest && {
        [test]: sourceFile({
          application,
          path: test,
          imports: [
            { name: 'expect', from: 'vitest' },
            { name: 'test', from: 'vitest' },
            { name: `${group}`, from: `/${path}` },
            { name: 'readSettings', from: `${runtime}/settings.ts` },
          ],
          text: `test('${variable} is read, and may be left out', () => {
  const read = (environment: Record<string, string>) => readSettings({ group: ${group} }, environment).group
  expect(read({ ${variable}: '${form.sample}' })).toEqual({ ${name}: ${form.isNumber ? form.sample : `'${form.sample}'`} })
  expect(read({})).toEqual({ ${name}: ${form.value} })
})
`,
        }),
      }),
    },
    next: [`Read it in a function: settings: { ${name}: ${group} }; npm run sync then passes it on and documents it`],
  }
}

/** How a setting is read, in code, by what holds without it: a whole number, a text, or nothing. */
function formOf(fallback: string | undefined) {
  if (fallback === undefined) return { reader: 'optionalText', schema: 'optionalText()', value: 'undefined', sample: 'value', isNumber: false }
  if (/^\d{1,9}$/.test(fallback)) {
    const value = String(Number(fallback))
    return { reader: 'integer', schema: `integer({ min: 0, max: 999_999_999, fallback: ${value} })`, value, sample: '7', isNumber: true }
  }
  const value = JSON.stringify(fallback)
  return { reader: 'textOr', schema: `textOr(${value})`, value, sample: 'value', isNumber: false }
}

function readerOf(application: string, variable: string): string | undefined {
  const file = '.env.example'
  if (!existsSync(join(application, file))) return undefined
  return new RegExp(`^(?:# )?${variable}=`, 'm').test(readFileSync(join(application, file), 'utf8')) ? file : undefined
}
