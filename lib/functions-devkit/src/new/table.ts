import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { entriesOf, sourcesIn } from '../sync/indexes/exports.ts'
import { MIGRATIONS, TABLES } from '../sync/indexes/kinds.ts'
import { stampBehind } from './migration-stamp.ts'
import { identifierOf, pascalCaseOf, singularOf, slugOf } from './names.ts'
import type { Scaffold, ScaffoldOptions } from './scaffold.ts'
import { sourceFile } from './source-file.ts'

/**
 * Returns a table with its model, its migration and how long its rows are kept.
 * @throws Error for an invalid or taken name.
 */
export function scaffoldTable({ application, words, withTest, now = new Date() }: ScaffoldOptions & { readonly now?: Date }): Scaffold {
  const slug = slugOf(words)
  const path = `${TABLES.folder}/${slug}.ts`
  if (existsSync(join(application, path))) throw new Error(`There is a table ${slug} already: ${path}`)
  const table = slug.replaceAll('-', '_')
  const [name, model] = [identifierOf(slug, 'Table', ['declaredTables', 'defineTable']), pascalCaseOf(singularOf(slug))]
  refuseTaken(application, { table, model })
  const migration = `create${pascalCaseOf(slug)}`
  const stamp = stampBehind(
    entriesOf(MIGRATIONS, application).map(({ place }) => place),
    slug,
    now,
  )
  const test = `test/tables/${slug}.test.ts`
  return {
    files: {
      [path]: sourceFile({
        application,
        path,
        imports: [
          { name: 'type CreationOptional', from: 'sequelize' },
          { name: 'type InferAttributes', from: 'sequelize' },
          { name: 'type InferCreationAttributes', from: 'sequelize' },
          { name: 'type Model', from: 'sequelize' },
          { name: 'defineTable', from: 'functions-runtime/src/database/define-table.ts' },
          { name: 'type Migration', from: 'resilient-sequelize/src/migrate/migration.ts' },
        ],
        text: `export interface ${model}Row extends Model<InferAttributes<${model}Row>, InferCreationAttributes<${model}Row>> {
  id: string
  createdAt: CreationOptional<Date>
  updatedAt: CreationOptional<Date>
}

export const ${name} = defineTable<${model}Row>()({
  name: '${table}',
  model: '${model}',
  columns: ({ UUID, DATE }) => ({
    id: { type: UUID, primaryKey: true },
    createdAt: { type: DATE, allowNull: false },
    updatedAt: { type: DATE, allowNull: false },
  }),
  keep: 'forever',
})

export const ${migration}: Migration = {
  name: '${stamp}-${slug}',
  async up({ query }) {
    await query(\`
      CREATE TABLE "${table}" (
        id uuid PRIMARY KEY,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL
      )\`)
  },
}
`,
      }),
      ...(withTest && {
        [test]: sourceFile({
          application,
          path: test,
          imports: [
            { name: 'randomUUID', from: 'node:crypto' },
            { name: 'expect', from: 'vitest' },
            { name: 'test', from: 'vitest' },
            { name: 'withService', from: 'functions-devkit/test/support/service.ts' },
          ],
          text: `test('the table ${table} keeps a row', async () => {
  await withService(async ({ service }) => {
    const id = randomUUID()
    await service.execute('create', ({ models }) => models.${model}.create({ id }))
    expect(await service.execute('read', ({ models }) => models.${model}.findByPk(id), { mode: 'read' })).toMatchObject({ id })
  })
})
`,
        }),
      }),
    },
    next: [
      'Write its columns into the interface, into columns and into the migration, before the migration is applied anywhere',
      `keep says how long its rows stay; in statements it is \${tables.${table}}, in a unit of work models.${model}`,
    ],
  }
}

// What the other files declare, without loading them.
function refuseTaken(application: string, { table, model }: { readonly table: string; readonly model: string }): void {
  for (const { path, text } of sourcesIn(application, TABLES.folder)) {
    for (const [key, value] of Object.entries({ name: table, model }))
      if (new RegExp(String.raw`^ {2}${key}: (['"])${value}\1`, 'm').test(text))
        throw new Error(`${path} has ${key}: '${value}' already. Choose another name`)
  }
}
