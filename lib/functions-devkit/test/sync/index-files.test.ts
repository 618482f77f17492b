import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Migration } from '../../../resilient-sequelize/src/migrate/migration.ts'
import { newMigration } from '../../src/cli/migrate/new.ts'
import { GENERATED, indexFiles } from '../../src/sync/index-files.ts'
import { REPOSITORY } from '../support/tested-application.ts'

let application: string
beforeEach(() => {
  application = mkdtempSync(join(tmpdir(), 'index-files-'))
})
afterEach(() => rmSync(application, { recursive: true }))

const TYPE = "import type { Migration } from 'resilient-sequelize'\n\n"
const migration = (exported: string, name: string) => `export const ${exported}: Migration = {\n  name: '${name}',\n  async up() {},\n}\n`
const table = (exported: string) => `export const ${exported} = defineTable<Row>()({ name: '${exported}' })\n`

function write(path: string, text: string): void {
  mkdirSync(dirname(join(application, path)), { recursive: true })
  writeFileSync(join(application, path), text)
}

const read = (path: string) => readFileSync(join(application, path), 'utf8')
const indexOf = (folder: string) => indexFiles(application).get(`lib/app/${folder}/index.ts`) ?? ''
/** The entries of a list, in their order. */
const listed = (text: string) => [...(/ = [[{]\n(.*)[\]}]\n$/s.exec(text)?.[1] ?? '').matchAll(/^ {2}([^/\n].*),$/gm)].map(([, entry]) => entry)

async function formatted(text: string): Promise<string> {
  const config = await resolveConfig(join(REPOSITORY, 'package.json'), { config: join(REPOSITORY, '.prettierrc.json') })
  return format(text, { ...config, parser: 'typescript' })
}

describe('the generated indexes', () => {
  it('of this repository are what is committed', () => {
    const found = indexFiles(REPOSITORY)
    expect([...found.keys()]).toEqual(expect.arrayContaining(['tables', 'migrations', 'webhooks/handlers'].map(name => `lib/app/${name}/index.ts`)))
    for (const [path, text] of found) expect(text).toBe(readFileSync(join(REPOSITORY, path), 'utf8'))
  })

  it('list each folder that exists, sorted by file', () => {
    write('lib/app/tables/order-items.ts', table('orderItems'))
    write('lib/app/tables/order.ts', `${table('orders')}${table('drafts')}`)
    write('lib/app/tables/order.d.ts', 'export {}')
    write('lib/app/webhooks/sources/my-shop.ts', 'export const myShop = defineSource({})\n')
    write('lib/app/webhooks/sources/acme.ts', 'export const acme =\n  defineSource({})\n')
    write('lib/app/webhooks/sources/stripe.ts', 'export const fromStripe = defineSource({})\n')
    expect([...indexFiles(application).keys()]).toEqual(['lib/app/tables/index.ts', 'lib/app/webhooks/sources/index.ts'])
    expect(indexOf('tables')).toBe(`${GENERATED}
import { orders, drafts } from './order.ts'
import { orderItems } from './order-items.ts'

export const declaredTables = {
  orders,
  drafts,
  orderItems,
}
`)
    expect(listed(indexOf('webhooks/sources'))).toEqual(['acme', "'my-shop': myShop", 'stripe: fromStripe'])
  })

  it('order migrations of table files among the others by name', () => {
    write('lib/app/migrations/2026-11-30-01-packages.ts', `${TYPE}export const packages: readonly Migration[] = []\n`)
    write('lib/app/migrations/2026-12-02-1000-late.ts', `${TYPE}${migration('late', 'anything')}`)
    write(
      'lib/app/tables/orders.ts',
      `${table('orders')}\n${migration('moreOrders', '2027-01-01-0000-more')}${migration('createOrders', '2026-12-01-0930-orders')}`,
    )
    expect(listed(indexOf('migrations'))).toEqual(['...packages', 'createOrders', 'late', 'moreOrders'])
    expect(indexOf('migrations')).toContain("import { createOrders, moreOrders } from '../tables/orders.ts'\nimport { late }")
    expect(listed(indexOf('tables'))).toEqual(['orders'])
  })

  it.each([0, 1, 40])('are formatted as prettier does, with %i entries', async count => {
    for (const folder of ['tables', 'migrations', 'webhooks/handlers', 'webhooks/sources'])
      mkdirSync(join(application, 'lib/app', folder), { recursive: true })
    for (let at = 0; at < count; at += 1) {
      write(`lib/app/tables/table-${at}.ts`, table(`table${at}`))
      write(`lib/app/migrations/2027-01-01-${1000 + at}-m.ts`, migration(`m${at}`, `m${at}`))
      write(`lib/app/webhooks/handlers/h-${at}.ts`, `export const h${at} = defineHandler({})\n`)
      write(`lib/app/webhooks/sources/s-${at}.ts`, `export const s${at} = defineSource({})\n`)
    }
    if (count > 1) write('lib/app/tables/many.ts', Array.from({ length: count }, (_, at) => table(`another${at}`)).join(''))
    const found = indexFiles(application)
    expect(found.size).toBe(4)
    for (const text of found.values()) expect(await formatted(text)).toBe(text)
    expect(listed(indexOf('migrations'))).toHaveLength(count)
  })

  it.each([
    ['files beside it', "import { type Migration } from '../own/migration.ts'\n", '../own/migration.ts'],
    ['an import over several lines', 'import {\n  other,\n  type Migration,\n} from "own"\n', 'own'],
  ])('name the type from where %s have it', (_what, line, module) => {
    write('lib/app/migrations/first.ts', line + migration('first', 'first'))
    expect(indexOf('migrations')).toContain(`import type { Migration } from '${module}'\n`)
  })

  it('name the type from the package or its sources', () => {
    mkdirSync(join(application, 'lib/app/migrations'), { recursive: true })
    mkdirSync(join(application, 'lib/app/webhooks/handlers'), { recursive: true })
    expect(indexOf('migrations')).toContain("from 'resilient-sequelize'")
    write('lib/resilient-sequelize/src/migrate/migration.ts', '')
    write('lib/webhook-inbox/src/inbox/handler.ts', '')
    expect(indexOf('migrations')).toContain("from '../../resilient-sequelize/src/migrate/migration.ts'")
    expect(indexOf('webhooks/handlers')).toContain("from '../../../webhook-inbox/src/inbox/handler.ts'")
  })

  it.each([
    ['without its type', 'export const createOrders = {\n  name: "2027-01-01-0930-orders",\n  async up() {},\n}\n'],
    ['with satisfies', 'export const createOrders = {\n  name: "2027-01-01-0930-orders",\n  async up() {},\n} satisfies Migration\n'],
    ['that is not exported', 'const createOrders: Migration = {\n  name: "2027-01-01-0930-orders",\n  up: async () => {},\n}\n'],
    ['beside one that is found', `${migration('first', '2027-01-01-0900-first')}export const second = {\n  async up() {},\n}\n`],
  ])('refuse a table file with a migration %s', (_, text) => {
    write('lib/app/migrations/2027-01-01-0800-other.ts', `${TYPE}${migration('other', '2027-01-01-0800-other')}`)
    write('lib/app/tables/orders.ts', `${table('orders')}${text}`)
    expect(() => indexFiles(application)).toThrow(/orders\.ts: has a migration that is not exported in the form that is found/)
  })

  it('leave an index alone that is written by hand', () => {
    write('lib/app/tables/helpers.ts', 'export const one = 1\n')
    write('lib/app/tables/index.ts', 'export const declaredTables = {}\n')
    expect(indexFiles(application).size).toBe(0)
  })

  const refused: readonly (readonly [what: string, files: Readonly<Record<string, string>>, file: string, said: string])[] = [
    [
      'no entry',
      { 'tables/a.ts': 'export function help() {}\n' },
      'tables/a.ts',
      'exports no table. Write `export const orders = defineTable<OrderRow>()({ … })`',
    ],
    ['an entry that is no constant', { 'tables/a.ts': 'export let a = defineTable<Row>()({})\n' }, 'tables/a.ts', 'exports no table'],
    ['an indented entry', { 'webhooks/handlers/a.ts': '  export const a = defineHandler({})\n' }, 'webhooks/handlers/a.ts', 'exports no handler'],
    ['another call', { 'webhooks/sources/a.ts': 'export const a = defineSources({})\n' }, 'webhooks/sources/a.ts', 'exports no source'],
    ['another type', { 'migrations/a.ts': 'export const a: Migrations = []\n' }, 'migrations/a.ts', 'exports no migration'],
    ['one name twice', { 'tables/a.ts': table('x'), 'tables/b.ts': table('x') }, 'tables/b.ts', 'exports x, as lib/app/tables/a.ts does. Rename'],
    [
      'a name of a table file',
      { 'tables/a.ts': table('a') + migration('x', '9'), 'migrations/1.ts': migration('x', '1') },
      'tables/a.ts',
      'exports x, as',
    ],
    [
      'the name of the list',
      { 'migrations/1.ts': migration('migrations', '1') },
      'migrations/1.ts',
      'exports migrations, which is a name of the index itself',
    ],
    [
      'two sources',
      { 'webhooks/sources/a.ts': 'export const a = defineSource({})\nexport const b = defineSource({})\n' },
      'webhooks/sources/a.ts',
      'more than one source',
    ],
    [
      'a list in a table file',
      { 'migrations/1.ts': migration('m', '1'), 'tables/a.ts': `${table('a')}export const x: readonly Migration[] = []\n` },
      'tables/a.ts',
      'exports x, a list',
    ],
    [
      'a computed name',
      { 'migrations/1.ts': migration('m', '1'), 'tables/a.ts': `${table('a')}export const x: Migration = { name }\n` },
      'tables/a.ts',
      'without a name in quotes',
    ],
  ]
  it.each(refused)('refuse %s, and name file and cure', (_what, files, file, said) => {
    for (const [path, text] of Object.entries(files)) write(`lib/app/${path}`, text)
    expect(() => indexFiles(application)).toThrow(
      expect.objectContaining({ name: 'IndexError', file: `lib/app/${file}`, message: expect.stringContaining(`lib/app/${file}: `) as string }),
    )
    expect(() => indexFiles(application)).toThrow(said)
  })
})

describe('migrate new', () => {
  const NOW = new Date('2027-02-03T23:59:59Z')
  const create = (...words: string[]) => newMigration(application, words, NOW).file.replace('lib/app/migrations/2027-02-03-2359-', '')

  const filesIn = () => readdirSync(join(application, 'lib/app/migrations')).sort()

  it('writes a file for the minute, and the index', async () => {
    write('lib/app/migrations/2027-01-01-0930-first.ts', `${TYPE}${migration('first', '2027-01-01-0930-first')}`)
    expect(newMigration(application, ['add', 'orders', 'by', 'day'], NOW)).toEqual({
      file: 'lib/app/migrations/2027-02-03-2359-add-orders-by-day.ts',
    })
    expect(read('lib/app/migrations/index.ts')).toBe(indexOf('migrations'))
    expect(listed(read('lib/app/migrations/index.ts'))).toEqual(['first', 'addOrdersByDay'])
    const { migrations } = (await import(join(application, 'lib/app/migrations/index.ts'))) as { migrations: readonly Migration[] }
    expect(migrations.map(({ name }) => name)).toEqual(['2027-01-01-0930-first', '2027-02-03-2359-add-orders-by-day'])
  })

  it('begins an application without migrations', () => {
    expect(create('greetings')).toBe('greetings.ts')
    expect(read('lib/app/migrations/2027-02-03-2359-greetings.ts')).toContain("import type { Migration } from 'resilient-sequelize'\n")
  })

  it('places a second of one minute behind the first', () => {
    create('orders')
    expect(newMigration(application, ['alter-orders'], NOW).file).toBe('lib/app/migrations/2027-02-04-0000-alter-orders.ts')
    expect(listed(read('lib/app/migrations/index.ts'))).toEqual(['orders', 'alterOrders'])
  })

  it.each([
    [['Add', 'Orders'], 'add-orders', 'addOrders'],
    [['addOrders'], 'add-orders', 'addOrders'],
    [['add orders_by day'], 'add-orders-by-day', 'addOrdersByDay'],
    [['orders2'], 'orders2', 'orders2'],
    [['add', '2fa'], 'add-2fa', 'add2fa'],
    ...['new', 'delete', 'default', 'class', 'await', 'static', 'eval', 'undefined', 'migrations', 'let', 'null'].map(
      word => [[word], word, `${word}Migration`] as const,
    ),
  ] as const)('takes the words %j', async (words, slug, exported) => {
    expect(create(...words)).toBe(`${slug}.ts`)
    expect(listed(read('lib/app/migrations/index.ts'))).toEqual([exported])
    const { migrations } = (await import(join(application, 'lib/app/migrations/index.ts'))) as { migrations: readonly Migration[] }
    expect(migrations).toMatchObject([{ name: `2027-02-03-2359-${slug}` }])
    expect(await formatted(read(`lib/app/migrations/2027-02-03-2359-${slug}.ts`))).toBe(read(`lib/app/migrations/2027-02-03-2359-${slug}.ts`))
  })

  it.each([[''], ['../x'], ['add orders!'], ['1st'], ['-'], ['add--orders'], ['größe'], ['add-'], ["it's"]])('refuses the words %j', word => {
    expect(() => create(word)).toThrow('A name is made of letters, digits and -, and begins with a letter: add-orders')
  })

  it('refuses a name that exists, and writes nothing then', () => {
    create('add', 'orders')
    expect(() => newMigration(application, ['add-orders'], new Date('2027-02-04'))).toThrow(
      'There is a migration add-orders already: lib/app/migrations/2027-02-03-2359-add-orders.ts. Choose another name',
    )
    write('lib/app/migrations/2027-01-01-0930-others.ts', TYPE + migration('addItems', '2027-01-01-0930-others'))
    expect(() => create('add-items')).toThrow('lib/app/migrations/2027-01-01-0930-others.ts exports addItems already. Choose another name')
    write('lib/app/migrations/broken.ts', 'export const one = 1\n')
    const before = filesIn()
    expect(() => create('more')).toThrow('lib/app/migrations/broken.ts: exports no migration')
    expect(filesIn()).toEqual(before)
  })

  it('leaves a hand-written index alone and names the line', () => {
    const own = "import type { Migration } from '../own.ts'\n\nexport const migrations: Migration[] = []\n"
    write('lib/app/migrations/index.ts', own)
    expect(newMigration(application, ['add-orders'], NOW)).toEqual({
      file: 'lib/app/migrations/2027-02-03-2359-add-orders.ts',
      toDo: "lib/app/migrations/index.ts is written by hand. Add `import { addOrders } from './2027-02-03-2359-add-orders.ts'` to it, and addOrders at the end of the list",
    })
    expect(read('lib/app/migrations/index.ts')).toBe(own)
    expect(read('lib/app/migrations/2027-02-03-2359-add-orders.ts')).toContain("from '../own.ts'")
    write('lib/app/migrations/index.ts', `${own}const addItems = 1\n`)
    expect(() => create('add-items')).toThrow('lib/app/migrations/index.ts has something named addItems. Choose another name')
    expect(filesIn()).toEqual(['2027-02-03-2359-add-orders.ts', 'index.ts'])
  })
})
