/** A type that an index names. */
export interface NamedType {
  readonly name: string
  /** The files of the folder import this from the module that has the type. */
  readonly importedWith: string
  /** Where it is when no file tells: in this source below `lib/`, or in the package of that name. */
  readonly source: string
}

/** A folder of an application whose files an index lists. */
export interface IndexKind {
  readonly folder: string
  /** What the index exports. */
  readonly list: string
  /** What a file of the folder exports, in words and in code. */
  readonly entry: string
  readonly form: string
  /** What follows `export const <name>` in that form. */
  readonly declaration: RegExp
  /** `by file`: an object whose keys are the names of the files. */
  readonly shape: 'array' | 'object' | 'by file'
  readonly type?: NamedType
  /** First line of an array. */
  readonly comment?: string
  /** A folder of another kind whose files may export such entries too; they are placed by their `name`. */
  readonly alsoIn?: string
  /** What each entry has, in whatever form it is declared. */
  readonly mention?: RegExp
}

export const TABLES: IndexKind = {
  folder: 'lib/app/tables',
  list: 'declaredTables',
  entry: 'table',
  form: 'export const orders = defineTable<OrderRow>()({ … })',
  declaration: /\s*=\s*defineTable\b/y,
  shape: 'object',
}

export const MIGRATIONS: IndexKind = {
  folder: 'lib/app/migrations',
  list: 'migrations',
  entry: 'migration',
  form: 'export const addOrders: Migration = { … }',
  declaration: /: (?:Migration|readonly Migration\[\])\s*=/y,
  shape: 'array',
  type: { name: 'Migration', importedWith: 'Migration', source: 'resilient-sequelize/src/migrate/migration.ts' },
  comment: 'Oldest first.',
  alsoIn: TABLES.folder,
  mention: /^ *(?:async )?up(?:\(|: )/gm,
}

/** Every index that is generated. */
export const INDEX_KINDS: readonly IndexKind[] = [
  TABLES,
  MIGRATIONS,
  {
    folder: 'lib/app/webhooks/handlers',
    list: 'handlers',
    entry: 'handler',
    form: 'export const orderPaid = defineHandler({ … })',
    declaration: /\s*=\s*defineHandler\b/y,
    shape: 'array',
    type: { name: 'WebhookHandler', importedWith: 'defineHandler', source: 'webhook-inbox/src/inbox/handler.ts' },
    comment: 'An event of a type that none is for is stored and otherwise ignored.',
  },
  {
    folder: 'lib/app/webhooks/sources',
    list: 'sourceTable',
    entry: 'source',
    form: 'export const acme = defineSource({ … })',
    declaration: /\s*=\s*defineSource\b/y,
    shape: 'by file',
  },
]
