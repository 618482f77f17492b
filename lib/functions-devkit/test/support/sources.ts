import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { application } from '../../src/application.ts'
import { collectStatements } from '../../../resilient-sequelize/src/migrate/collect-statements.ts'
import { createdNames } from '../../../resilient-sequelize/src/migrate/created-names.ts'
import { APPLICATION_FOLDER, REPOSITORY } from './tested-application.ts'

/** A source file, by its path from the folder in which it was looked for. */
export interface Source {
  readonly path: string
  readonly text: string
}

const BUILT = /(?:^|\/)(?:node_modules|dist)\//
// Migrations run with the schema as their search path. The last is a tool of tests, with tables of its own.
const WITHOUT_SCHEMA = /\/migrations\/|^lib\/postgres-faults\//

// One beside its table.
const MIGRATION = /^export const \w+: Migration = \{\n.*?^\}$/gms

function sourcesIn(folder: string, patterns: readonly string[]): Source[] {
  const paths = globSync([...patterns], { cwd: folder }).filter(path => !BUILT.test(path))
  return paths.map(path => ({ path, text: readFileSync(join(folder, path), 'utf8') }))
}

/** The sources of the packages under `lib`, without the application's. */
export const packageSources = () => sourcesIn(REPOSITORY, ['lib/*/src/**/*.ts'])

/** The sources of the application under test. */
export const applicationSources = () => sourcesIn(APPLICATION_FOLDER, ['lib/app/**/*.ts', 'packages/**/*.ts'])

/** The tables and views that the migrations of the application under test create. */
export async function createdTables(): Promise<string[]> {
  const collected = await Promise.all(application.migrations.map(collectStatements))
  const created = collected.flatMap(({ statements }) => statements.flatMap(({ text }) => createdNames(text)))
  return [...new Set(['schema_migrations', ...created.filter(({ kind }) => kind === 'table' || kind === 'view').map(({ name }) => name)])]
}

/** Finds the lines that name one of the tables in a statement without its schema. */
export function unqualifiedLines(sources: readonly Source[], tables: readonly string[]): string[] {
  const unqualified = new RegExp(`\\b(FROM|JOIN|INTO|UPDATE|TABLE|ON)\\s+(ONLY\\s+)?(${tables.join('|')})\\b(?!\\.)`)
  const checked = sources.filter(({ path }) => !WITHOUT_SCHEMA.test(path))
  return checked.flatMap(({ path, text }) =>
    text
      .replaceAll(MIGRATION, '')
      .split('\n')
      .filter(line => unqualified.test(line) && !/^\s*(\/\/|\*)/.test(line))
      .map(line => `${path}: ${line.trim()}`),
  )
}

/** The names of the counters that the sources count. */
export function countedIn(sources: readonly Source[]): string[] {
  return sources.flatMap(({ text }) => [...text.matchAll(/\bcounters\??\.add\(\s*'([^']+)'/g)].map(([, name = '']) => name))
}
