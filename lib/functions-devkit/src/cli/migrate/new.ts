import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { indexText, moduleOf, pathOfIndex } from '../../sync/index-files.ts'
import { stampBehind } from '../../new/migration-stamp.ts'
import { identifierOf, slugOf } from '../../new/names.ts'
import { entriesOf, placeOf, sourcesIn } from '../../sync/indexes/exports.ts'
import { MIGRATIONS } from '../../sync/indexes/kinds.ts'

export interface NewMigration {
  /** Seen from the application's folder. */
  readonly file: string
  /** What is left to do by hand. */
  readonly toDo?: string
}

const { folder, list, type } = MIGRATIONS
const INDEX = pathOfIndex(MIGRATIONS)

/**
 * Writes a dated file for a migration, and the index of migrations again. An index that is written by hand stays as it is, and `toDo`
 * says what to add.
 * @throws Error when the words make no name, the name is taken, or a file beside it is none that the index can list.
 */
export function newMigration(application: string, words: readonly string[], now: Date = new Date()): NewMigration {
  const slug = slugOf(words)
  const exported = slug === list ? `${slug}Migration` : identifierOf(slug, 'Migration')
  const present = sourcesIn(application, folder)
  const same = present.find(({ path }) => placeOf(path).replace(/^[\d-]+/, '') === slug)
  if (same !== undefined) throw new Error(`There is a migration ${slug} already: ${same.path}. Choose another name`)
  const isByHand = indexText(MIGRATIONS, application) === undefined
  const entries = isByHand ? [] : entriesOf(MIGRATIONS, application)
  const taken = entries.find(({ name }) => name === exported)
  if (taken !== undefined) throw new Error(`${taken.path} exports ${exported} already. Choose another name`)
  const places = isByHand ? present.map(({ path }) => placeOf(path)) : entries.map(({ place }) => place)
  const name = `${stampBehind(places, slug, now)}-${slug}`
  const toDo = isByHand ? { toDo: linesToAdd(readFileSync(join(application, INDEX), 'utf8'), name, exported) } : {}
  const file = `${folder}/${name}.ts`
  mkdirSync(join(application, folder), { recursive: true })
  writeFileSync(join(application, file), source(name, exported, type === undefined ? '' : moduleOf(type, MIGRATIONS, application)))
  const text = indexText(MIGRATIONS, application)
  if (text !== undefined) writeFileSync(join(application, INDEX), text)
  return { file, ...toDo }
}

function linesToAdd(index: string, name: string, exported: string): string {
  if (new RegExp(String.raw`\b${exported}\b`).test(index)) throw new Error(`${INDEX} has something named ${exported}. Choose another name`)
  return `${INDEX} is written by hand. Add \`import { ${exported} } from './${name}.ts'\` to it, and ${exported} at the end of the list`
}

function source(name: string, exported: string, origin: string): string {
  return `import type { Migration } from '${origin}'

// Why the schema changes. It runs while the functions that are deployed now serve: add, let the next deploy use it, and
// take away what nobody uses any more in a later one.
export const ${exported}: Migration = {
  name: '${name}',
  async up({ query }) {
    await query(\`WRITE THE STATEMENT HERE\`)
  },
}
`
}
