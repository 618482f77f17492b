import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = 'lib/app/migrations'
// Where the list has the type from: a package, or its sources in this repository.
const TYPE_IMPORT = /^import type \{ Migration \} from '([^']+)'/m

/**
 * Writes a dated file for a migration, and its line into the list of them.
 * @returns the file's path, seen from the application's folder
 * @throws Error when the words make no name, the name is taken, or the list has a form of its own.
 */
export function newMigration(checkout: string, words: readonly string[], now: Date = new Date()): string {
  const slug = words.join('-').toLowerCase()
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(slug)) throw new Error('A name is made of letters, digits and -, such as add-orders')
  const name = `${now.toISOString().slice(0, 10)}-${slug}`
  const identifier = slug.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
  const file = `${FOLDER}/${name}.ts`
  const list = join(checkout, FOLDER, 'index.ts')
  const text = readFileSync(list, 'utf8')
  if (existsSync(join(checkout, file)) || new RegExp(`\\b${identifier}\\b`).test(text)) throw new Error(`There is a migration ${slug} already`)
  const [, origin = ''] = TYPE_IMPORT.exec(text) ?? []
  const imported = text.replace(/^(?=import type \{ Migration \} from)/m, `import { ${identifier} } from './${name}.ts'\n`)
  const changed = imported
    .replace(/(?=\n\]\s*$)/, `\n  ${identifier},`)
    // A short list is on one line.
    .replace(/(?<=(\[)|\S)\]\s*$/, (end: string, empty?: string) => `${empty === undefined ? ', ' : ''}${identifier}${end}`)
  if (imported === text || changed === imported) throw new Error(`${FOLDER}/index.ts has not the form that this command knows: add the line yourself`)
  writeFileSync(join(checkout, file), source(name, identifier, origin))
  writeFileSync(list, changed)
  return file
}

function source(name: string, identifier: string, origin: string): string {
  return `import type { Migration } from '${origin}'

// Why the schema changes. It runs while the functions that are deployed now serve: add, let the next deploy use it, and
// take away what nobody uses any more in a later one.
export const ${identifier}: Migration = {
  name: '${name}',
  async up({ query }) {
    await query(\`WRITE THE STATEMENT HERE\`)
  },
}
`
}
