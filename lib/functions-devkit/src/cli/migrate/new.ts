import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = 'lib/app/migrations'

/**
 * Writes a dated file for a migration, and its line into the list of them.
 * @returns the file's path in the checkout
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
  const changed = text
    .replace(/^(?=import type \{ Migration \})/m, `import { ${identifier} } from './${name}.ts'\n`)
    .replace(/(?=\n\]\s*$)/, `\n  ${identifier},`)
    // A short list is on one line.
    .replace(/(?<=(\[)|\S)\]\s*$/, (end: string, empty?: string) => `${empty === undefined ? ', ' : ''}${identifier}${end}`)
  if (changed.split(identifier).length !== 3) throw new Error(`${FOLDER}/index.ts has not the form that this command knows: add the line yourself`)
  writeFileSync(join(checkout, file), source(name, identifier))
  writeFileSync(list, changed)
  return file
}

function source(name: string, identifier: string): string {
  return `import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'

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
